using System.Runtime.CompilerServices;
using System.Text;

namespace ModelDsl.Runtime.Chat.Jinja;

/// <summary>Runs the statements of a template.</summary>
internal sealed class Interpreter
{
    private readonly Budget _budget = new();
    private readonly Evaluator _evaluator;
    private StringBuilder _output = new();
    private int _loops;

    private Interpreter() => _evaluator = new Evaluator(_budget);

    /// <summary>What comes after a statement: the next one, or the end of a loop or of one of its rounds.</summary>
    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <exception cref="JinjaError">The template fails; the error knows its line.</exception>
    public static string Render(IReadOnlyList<Statement> template, Scope scope)
    {
        var interpreter = new Interpreter();
        try
        {
            interpreter.Run(template, scope);
            return interpreter._output.ToString();
        }
        catch (JinjaError e) when (e.Line is null)
        {
            throw new JinjaError(e.Message, interpreter._evaluator.Line);
        }
        catch (InsufficientExecutionStackException)
        {
            throw new JinjaError("values or calls nested too deeply", interpreter._evaluator.Line);
        }
    }

    private Flow Run(IReadOnlyList<Statement> body, Scope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        foreach (var statement in body)
        {
            _budget.Spend();
            _evaluator.Line = statement.Line;
            var flow = Run(statement, scope);
            if (flow != Flow.Next)
                return flow;
        }

        return Flow.Next;
    }

    private Flow Run(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case Statement.Text s:
                Write(s.Value);
                return Flow.Next;
            case Statement.Output s:
                Write(ValueText.Str(_evaluator.Evaluate(s.Value, scope), _budget));
                return Flow.Next;
            case Statement.If s:
                return Run(_evaluator.IsTrue(s.Condition, scope) ? s.Then : s.Otherwise, scope);
            case Statement.For s:
                Loop(s, scope);
                return Flow.Next;
            case Statement.Set s:
                Assign(s.Targets, _evaluator.Evaluate(s.Value, scope), scope);
                return Flow.Next;
            case Statement.SetAttribute s:
                if (scope.Find(s.Namespace) is not JinjaValue.Namespace space)
                    throw new JinjaError($"\"{s.Namespace}\" is no namespace, so nothing can be set in it");
                space.Items[s.Id] = _evaluator.Evaluate(s.Value, scope);
                return Flow.Next;
            case Statement.SetBlock s:
                scope.Set(s.Target, new JinjaValue.Text(Capture(s.Body, new Scope(scope))));
                return Flow.Next;
            case Statement.Macro s:
                scope.Set(s.Id, new JinjaValue.Function(s.Id, a => Call(s, a, scope)));
                return Flow.Next;
            case Statement.With s:
                var inner = new Scope(scope);
                foreach (var (name, value) in s.Variables)
                    inner.Set(name, _evaluator.Evaluate(value, scope));
                return Run(s.Body, inner);
            default:
                if (_loops == 0)
                    throw new JinjaError("\"break\" and \"continue\" belong inside a loop");
                return statement is Statement.Break ? Flow.Break : Flow.Continue;
        }
    }

    private void Write(string text)
    {
        _budget.Spend(text.Length);
        // The text so far counts as a whole, or a loop could write more than memory holds.
        if (_output.Length + (long)text.Length > 1 << 24)
            throw new JinjaError("the text is longer than 16 million characters");
        _output.Append(text);
    }

    private string Capture(IReadOnlyList<Statement> body, Scope scope)
    {
        var outside = _output;
        _output = new StringBuilder();
        try
        {
            Run(body, scope);
            return _output.ToString();
        }
        finally
        {
            _output = outside;
        }
    }

    private void Loop(Statement.For loop, Scope scope)
    {
        var items = Members.Items(_evaluator.Evaluate(loop.Items, scope), _budget);
        if (loop.Filter is not null)
            items = [.. items.Where(i =>
            {
                var round = new Scope(scope);
                Assign(loop.Targets, i, round);
                return _evaluator.IsTrue(loop.Filter, round);
            })];
        if (items.Count == 0)
        {
            Run(loop.Otherwise, new Scope(scope));
            return;
        }

        _loops++;
        for (var i = 0; i < items.Count; i++)
        {
            // A scope, and what goes with it.
            _budget.MakeTable();
            var round = new Scope(scope);
            round.Set("loop", new JinjaValue.Loop(items, i));
            Assign(loop.Targets, items[i], round);
            if (Run(loop.Body, round) == Flow.Break)
                break;
        }

        _loops--;
    }

    private void Assign(IReadOnlyList<string> targets, JinjaValue value, Scope scope)
    {
        if (targets.Count == 1)
        {
            scope.Set(targets[0], value);
            return;
        }

        var items = Members.Items(value, _budget);
        if (items.Count != targets.Count)
            throw new JinjaError($"{items.Count} values cannot be given to {targets.Count} names");
        for (var i = 0; i < targets.Count; i++)
            scope.Set(targets[i], items[i]);
    }

    private JinjaValue.Text Call(Statement.Macro macro, CallArguments arguments, Scope definition)
    {
        arguments.AtMost(macro.Parameters.Count);
        foreach (var name in arguments.Named.Keys)
            if (macro.Parameters.All(p => p.Name != name))
                throw new JinjaError($"the macro {macro.Id} has no parameter \"{name}\"");
        var scope = new Scope(definition);
        for (var i = 0; i < macro.Parameters.Count; i++)
        {
            var (name, otherwise) = macro.Parameters[i];
            scope.Set(name, arguments.Find(i, name)
                ?? (otherwise is null ? new JinjaValue.Undefined($"the parameter \"{name}\"") : _evaluator.Evaluate(otherwise, scope)));
        }

        var loops = _loops;
        _loops = 0;
        var text = Capture(macro.Body, scope);
        _loops = loops;
        return new JinjaValue.Text(text);
    }
}
