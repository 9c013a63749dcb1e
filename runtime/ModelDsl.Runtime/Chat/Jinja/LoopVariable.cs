namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>What <c>loop.…</c> gives inside a loop.</summary>
internal static class LoopVariable
{
    public static JinjaValue? Find(JinjaValue.Loop loop, string id)
    {
        var (index, count) = (loop.Index, loop.Items.Count);
        return id switch
        {
            "index" => CallArguments.Number(index + 1),
            "index0" => CallArguments.Number(index),
            "revindex" => CallArguments.Number(count - index),
            "revindex0" => CallArguments.Number(count - index - 1),
            "length" => CallArguments.Number(count),
            "first" => JinjaValue.Bool.Of(index == 0),
            "last" => JinjaValue.Bool.Of(index == count - 1),
            // Only recursive loops, which we refuse, get deeper.
            "depth" => CallArguments.Number(1),
            "depth0" => CallArguments.Number(0),
            "previtem" => index > 0 ? loop.Items[index - 1] : null,
            "nextitem" => index < count - 1 ? loop.Items[index + 1] : null,
            "cycle" => new JinjaValue.Function("loop.cycle", a => a.Positional.Count > 0
                ? a.Positional[index % a.Positional.Count]
                : throw new JinjaError("loop.cycle needs something to cycle through")),
            _ => null,
        };
    }
}
