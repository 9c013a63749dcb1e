namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Variables of a block; what is set inside a loop or macro is gone after it, what lies outside stays visible.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, JinjaValue> _variables = [];

    public JinjaValue Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
            if (scope._variables.TryGetValue(name, out var value))
                return value;
        return new JinjaValue.Undefined(name, IsName: true);
    }

    public void Set(string name, JinjaValue value) => _variables[name] = value;

    private Scope? Outer => outer;
}
