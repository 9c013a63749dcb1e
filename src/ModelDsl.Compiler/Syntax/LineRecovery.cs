using Antlr4.Runtime;
using Antlr4.Runtime.Misc;
using ModelDsl.Compiler.Syntax.Generated;

namespace ModelDsl.Compiler.Syntax;

/// <summary>
/// After an error the parser takes up again at the next line or closing brace, within the block where it was, so that one
/// slip costs one message and the rest of the file is still checked.
/// </summary>
internal sealed class LineRecovery : DefaultErrorStrategy
{
    private int _resume = -1;

    public override void Recover(Parser recognizer, RecognitionException e)
    {
        var stream = recognizer.TokenStream;
        // The same token twice at the same place: step over it, or the loop that called us would never end.
        var again = lastErrorIndex == stream.Index && lastErrorStates is not null && lastErrorStates.Contains(recognizer.State);
        if (lastErrorIndex != stream.Index || lastErrorStates is null) lastErrorStates = new IntervalSet();
        lastErrorIndex = stream.Index;
        lastErrorStates.Add(recognizer.State);
        // Rules that give up one after the other, all at the place where the first took up again, skip nothing more.
        if (!again && (stream.Index == _resume || stream.LT(1).Text == "}" || StartsLine(stream))) return;
        SkipLine(stream);
        _resume = stream.Index;
    }

    /// <summary>Between entries, and between declarations: what starts none is reported and skipped, and the block goes on.</summary>
    public override void Sync(Parser recognizer)
    {
        if (recognizer.Context is not (DsmParser.BodyContext { ChildCount: > 0 } or DsmParser.FileContext))
        {
            base.Sync(recognizer);
            return;
        }

        var stream = recognizer.TokenStream;
        while (stream.LA(1) != TokenConstants.EOF && stream.LT(1).Text != "}" && !IsName(stream.LT(1)))
        {
            ReportUnwantedToken(recognizer);
            SkipLine(stream);
        }
    }

    /// <summary>Never: a brace that the parser made up would put what follows into a block of its own.</summary>
    protected override bool SingleTokenInsertion(Parser recognizer) => false;

    /// <summary>Anything but a brace may be overlooked.</summary>
    protected override IToken SingleTokenDeletion(Parser recognizer) =>
        recognizer.TokenStream.LT(1).Text is "{" or "}" ? null! : base.SingleTokenDeletion(recognizer);

    /// <summary>What is missing is missing on the line before; this one may be sound.</summary>
    private static bool StartsLine(ITokenStream stream) =>
        IsName(stream.LT(1)) && stream.LT(-1) is { } before && before.Line < stream.LT(1).Line;

    private static bool IsName(IToken token) => token.Type == DsmParser.NAME || token.Text is "use" or "param" or "from";

    /// <summary>To the next line, or to the brace that closes the block; a block that opens on the way is skipped as a whole.</summary>
    private static void SkipLine(ITokenStream stream)
    {
        var line = stream.LT(1).Line;
        var depth = 0;
        while (stream.LA(1) != TokenConstants.EOF)
        {
            depth += stream.LT(1).Text switch { "{" => 1, "}" => -1, _ => 0 };
            stream.Consume();
            if (depth <= 0 && (stream.LT(1).Text == "}" || stream.LT(1).Line != line)) return;
        }
    }
}
