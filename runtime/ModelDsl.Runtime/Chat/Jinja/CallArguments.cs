using System.Numerics;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>The values a function, filter or test is called with, asked for by position and name.</summary>
internal sealed class CallArguments(
    string function, IReadOnlyList<JinjaValue> positional, IReadOnlyDictionary<string, JinjaValue> named, Budget budget)
{
    public IReadOnlyList<JinjaValue> Positional => positional;

    public IReadOnlyDictionary<string, JinjaValue> Named => named;

    public Budget Budget => budget;

    public JinjaValue? Find(int index, string name) =>
        index < positional.Count ? positional[index] : named.TryGetValue(name, out var value) ? value : null;

    public JinjaValue Get(int index, string name) =>
        Find(index, name) ?? throw new JinjaError($"{function} needs an argument \"{name}\"");

    public string Text(int index, string name) => Get(index, name) is JinjaValue.Text text
        ? text.Value
        : throw new JinjaError($"the argument \"{name}\" of {function} must be a string");

    public string? TextOrNull(int index, string name) => Find(index, name) is null or JinjaValue.None ? null : Text(index, name);

    public int? IntOrNull(int index, string name) => Find(index, name) switch
    {
        null or JinjaValue.None => null,
        JinjaValue.Int number when number.Value >= int.MinValue && number.Value <= int.MaxValue => (int)number.Value,
        JinjaValue.Bool flag => flag.Value ? 1 : 0,
        _ => throw new JinjaError($"the argument \"{name}\" of {function} must be a whole number"),
    };

    public bool Flag(int index, string name) => Find(index, name) is { } value && Operators.IsTrue(value);

    /// <summary>Refuses arguments the function does not have.</summary>
    public void AtMost(int count)
    {
        if (positional.Count > count)
            throw new JinjaError($"{function} takes at most {count} arguments, and got {positional.Count}");
    }

    public static JinjaValue Number(int value) => new JinjaValue.Int(new BigInteger(value));
}
