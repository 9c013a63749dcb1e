using System.Collections.Immutable;
using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Compiler.Syntax;

namespace ModelDsl.Compiler.Formatting;

/// <summary>The text in our layout, or the reasons why it could not be read; then the text is as it was.</summary>
public sealed record FormatResult(string Text, ImmutableArray<Diagnostic> Diagnostics)
{
    public bool Succeeded => Diagnostics.All(d => !d.IsError);
}

/// <summary>
/// <c>dsmc fmt</c>: two blanks of indentation, <c>=</c> and comments of neighbouring lines in one column, blocks that were
/// written on one line stay on one line. Formatting formatted text changes nothing; comments are kept, all of them.
/// </summary>
public sealed class Formatter
{
    private const int LongestLine = 140;

    private readonly SourceText _source;
    private readonly ImmutableArray<CommentSyntax> _comments;
    private readonly Layout _layout = new();
    private int _nextComment;
    private int _end;

    private Formatter(FileSyntax file) => (_source, _comments) = (file.Source, file.Comments);

    public static FormatResult Format(SourceText source)
    {
        var parsed = DsmSyntax.Parse(source);
        if (parsed.Diagnostics.Any(d => d.IsError)) return new FormatResult(source.Text, parsed.Diagnostics);
        var formatter = new Formatter(parsed.Tree);
        formatter.File(parsed.Tree);
        return new FormatResult(formatter._layout.ToString(), parsed.Diagnostics);
    }

    private void File(FileSyntax file)
    {
        DeclarationSyntax? previous = null;
        foreach (var declaration in file.Declarations)
        {
            var apart = previous is not null && (previous is ObjectSyntax || declaration is ObjectSyntax);
            Before(declaration.Span, 0, apart);
            switch (declaration)
            {
                case UseSyntax use:
                    Whole(use, 0, () => _layout.Plain(0, $"use \"{use.Path.Value}\""));
                    break;
                case ParameterSyntax parameter:
                    var value = "= " + ExpressionText.Of(parameter.Value);
                    Whole(parameter, 0, () => _layout.Aligned(0, $"param {parameter.Name.Text}", value));
                    break;
                case ObjectSyntax item:
                    Body(ExpressionText.Header(item), item.Span, item.Base?.Span.End ?? item.Name.Span.End, item.Entries, 0);
                    break;
            }
            previous = declaration;
        }
        Before(new SourceSpan(_source.Path, _source.Text.Length, 0), 0, apart: false);
        _layout.NoBlank();
    }

    private void Entry(EntrySyntax entry, int indent)
    {
        switch (entry)
        {
            case AttributeSyntax attribute:
                Whole(attribute, indent, () => _layout.Aligned(indent, attribute.Name.Text, "= " + ExpressionText.Of(attribute.Value)));
                break;
            case StepSyntax step:
                Whole(step, indent, () => _layout.Plain(indent, ExpressionText.Of(step)));
                break;
            case BlockSyntax block when OnOneLine(block) && indent * 2 + ExpressionText.Of(block).Length <= LongestLine:
                _layout.Aligned(indent, ExpressionText.Header(block), ExpressionText.Body(block));
                _end = block.Span.End;
                break;
            case BlockSyntax block:
                Body(ExpressionText.Header(block), block.Span, block.Label?.Span.End ?? block.Name.Span.End, block.Entries, indent);
                break;
        }
    }

    private void Body(string header, SourceSpan span, int headerEnd, ImmutableArray<EntrySyntax> entries, int indent)
    {
        // Comments between the header and its brace have no place of their own; they go above.
        var brace = OpenBrace(headerEnd);
        while (_nextComment < _comments.Length && _comments[_nextComment].Span.Start < brace)
            _layout.Plain(indent, Text(_comments[_nextComment++]));

        _layout.Plain(indent, header + " {");
        _end = brace + 1;
        var first = true;
        foreach (var entry in entries)
        {
            Before(entry.Span, indent + 1, apart: false, atTop: first);
            Entry(entry, indent + 1);
            first = false;
        }
        Before(new SourceSpan(_source.Path, span.End - 1, 0), indent + 1, apart: false, atTop: first);
        _layout.NoBlank();
        _layout.Plain(indent, "}");
        _end = span.End;
    }

    /// <summary>Something that fits on a line; with comments inside, or too long, it stays exactly as it was written.</summary>
    private void Whole(SyntaxNode node, int indent, Action write)
    {
        var inside = _nextComment;
        while (inside < _comments.Length && _comments[inside].Span.Start < node.Span.End) inside++;
        // Measured as it would be kept, without blanks at the ends of lines: the next time it is no longer.
        var lines = _source.Slice(node.Span).Split('\n').Select(line => line.TrimEnd()).ToArray();
        if (inside == _nextComment && (lines.Length == 1 || string.Join("\n", lines).Length <= LongestLine))
        {
            write();
        }
        else
        {
            _layout.Plain(indent, lines[0]);
            foreach (var line in lines.Skip(1)) _layout.Plain(0, line);
        }
        _nextComment = inside;
        _end = node.Span.End;
    }

    /// <summary>Comments and empty lines between the last thing written and the next.</summary>
    private void Before(SourceSpan next, int indent, bool apart, bool atTop = false)
    {
        while (_nextComment < _comments.Length && _comments[_nextComment].Span.Start < next.Start)
        {
            var comment = _comments[_nextComment++];
            if (LinesBetween(_end, comment.Span.Start) == 0 && _layout.CanTrail)
            {
                _layout.Trail(Text(comment));
            }
            else
            {
                if (!atTop && (apart || LinesBetween(_end, comment.Span.Start) > 1)) _layout.Blank();
                apart = false;
                var lines = Text(comment).Split('\n');
                for (var i = 0; i < lines.Length; i++) _layout.Plain(i == 0 ? indent : 0, lines[i].TrimEnd());
            }
            atTop = false;
            _end = comment.Span.End;
        }
        if (!atTop && (apart || LinesBetween(_end, next.Start) > 1)) _layout.Blank();
    }

    private bool OnOneLine(BlockSyntax block) =>
        LinesBetween(block.Span.Start, block.Span.End) == 0
        && (_nextComment == _comments.Length || _comments[_nextComment].Span.Start >= block.Span.End);

    private int OpenBrace(int from)
    {
        var next = _nextComment;
        for (var i = from; i < _source.Text.Length; i++)
        {
            if (next < _comments.Length && _comments[next].Span.Start == i) i = _comments[next++].Span.End - 1;
            else if (_source.Text[i] == '{') return i;
        }
        return _source.Text.Length;
    }

    private int LinesBetween(int from, int to) => _source.Locate(Math.Max(from, to)).Line - _source.Locate(from).Line;

    private static string Text(CommentSyntax comment) => comment.Text.Replace("\r\n", "\n").Replace('\r', '\n').TrimEnd();
}
