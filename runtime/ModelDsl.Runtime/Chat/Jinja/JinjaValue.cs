using System.Numerics;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>A value of the template language, which is a Python value in all but name.</summary>
internal abstract record JinjaValue
{
    public sealed record None : JinjaValue
    {
        public static None Instance { get; } = new();
    }

    /// <summary>What a missing name, key or attribute gives: empty, false, and an error when anything is done with it.</summary>
    /// <remarks>
    /// Put into words by <see cref="Operators.Describe"/> only: a template may meet millions of them, of keys of any length, without a message.
    /// </remarks>
    /// <param name="What">What is missing, in words, or, if <paramref name="IsName"/>, by its name.</param>
    /// <param name="Key">What an item was asked for by; never undefined itself, so that they form no chain.</param>
    public sealed record Undefined(string What, bool IsName = false, JinjaValue? Key = null) : JinjaValue;

    public sealed record Bool(bool Value) : JinjaValue
    {
        public static Bool True { get; } = new(true);

        public static Bool False { get; } = new(false);

        public static Bool Of(bool value) => value ? True : False;
    }

    public sealed record Int(BigInteger Value) : JinjaValue;

    public sealed record Float(double Value) : JinjaValue;

    public sealed record Text(string Value) : JinjaValue;

    public sealed record List(IReadOnlyList<JinjaValue> Items, bool IsTuple = false) : JinjaValue;

    /// <summary>Keys in the order they came.</summary>
    public sealed record Map(OrderedDictionary<JinjaValue, JinjaValue> Items) : JinjaValue
    {
        public JinjaValue? Find(string key) => Items.TryGetValue(new Text(key), out var value) ? value : null;
    }

    /// <summary>The one thing a template can change from inside a loop: <c>namespace(…)</c>.</summary>
    public sealed record Namespace(Dictionary<string, JinjaValue> Items) : JinjaValue;

    /// <summary>The <c>loop</c> variable: what it says is worked out when asked.</summary>
    public sealed record Loop(IReadOnlyList<JinjaValue> Items, int Index) : JinjaValue;

    /// <summary>A function, method or macro.</summary>
    public sealed record Function(string Name, Func<CallArguments, JinjaValue> Body) : JinjaValue;
}
