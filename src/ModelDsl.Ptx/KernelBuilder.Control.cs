using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx;

public sealed partial class KernelBuilder
{
    /// <summary>
    /// Runs <paramref name="then"/> where the predicate holds, <paramref name="otherwise"/> elsewhere. A constant leaves one of them.
    /// </summary>
    /// <param name="uniform">All threads of a warp agree: the jump is <c>bra.uni</c>.</param>
    public void If(Pred predicate, Action then, Action? otherwise = null, bool uniform = false)
    {
        if (predicate.Constant is { } known)
        {
            if (known) then();
            else otherwise?.Invoke();
            return;
        }

        var id = ++_labels;
        var (skip, end) = (otherwise is null ? $"L{id}_end" : $"L{id}_else", $"L{id}_end");
        Jump(skip, !predicate, uniform);
        Scope(then);
        if (otherwise is not null)
        {
            Jump(end, null, uniform);
            Place(skip);
            Scope(otherwise);
        }

        Place(end);
    }

    /// <summary>
    /// Counts from <paramref name="start"/> to below <paramref name="end"/>. Bounds are evaluated once. A loop that constants show to run
    /// never is left out, and one that they show to run is entered without a test.
    /// </summary>
    /// <param name="nounroll">Tells the assembler not to unroll.</param>
    public void For(S32 start, S32 end, S32 step, Action<S32> body, bool nounroll = false) =>
        For(start, end, step, (i, _) => body(i), nounroll);

    /// <inheritdoc cref="For(S32, S32, S32, Action{S32}, bool)"/>
    public void For(S32 start, S32 end, S32 step, Action<S32, LoopScope> body, bool nounroll = false)
    {
        if (start.Constant >= end.Constant) return;
        var id = ++_labels;
        var loop = new LoopScope(this, $"L{id}_next", $"L{id}_end");
        var enters = start.Constant < end.Constant;
        if (!enters) Jump(loop.End, start >= end, false);
        var counter = NewRegister(RegisterClass.B32);
        Append(Make("mov.b32", [counter], [start.Operand], Effect.None, null));
        Place($"L{id}_loop");
        if (nounroll) _body.Add(new Pragma("nounroll"));
        var i = new S32(this, counter);
        Scope(() => body(i, loop));
        if (loop.NextUsed) Place(loop.Next);
        Append(Make("add.s32", [counter], [counter, step.Operand], Effect.None, null));
        Scope(() => Jump($"L{id}_loop", i < end, false));
        if (!enters || loop.EndUsed) Place(loop.End);
    }

    /// <summary>Counts in steps of one.</summary>
    public void For(S32 start, S32 end, Action<S32> body, bool nounroll = false) => For(start, end, 1, body, nounroll);

    /// <summary>Repeats while the condition, evaluated anew each time, holds.</summary>
    public void While(Func<Pred> condition, Action body) => While(condition, _ => body());

    /// <inheritdoc cref="While(Func{Pred}, Action)"/>
    public void While(Func<Pred> condition, Action<LoopScope> body)
    {
        var id = ++_labels;
        var loop = new LoopScope(this, $"L{id}_loop", $"L{id}_end");
        Place(loop.Next);
        Scope(() =>
        {
            var holds = condition();
            if (holds.Constant != true) Jump(loop.End, !holds, false);
            body(loop);
        });
        Jump(loop.Next, null, false);
        Place(loop.End);
    }

    /// <summary>Runs the body, then again as long as the predicate it returns holds.</summary>
    public void DoWhile(Func<Pred> body)
    {
        var label = $"L{++_labels}_loop";
        Place(label);
        Scope(() => Jump(label, body(), false));
    }

    /// <summary>
    /// Puts the predicate before every instruction of the body instead of jumping: for a store or an atomic or two. No control flow
    /// inside; values made inside mean nothing outside.
    /// </summary>
    public void Guarded(Pred predicate, Action body)
    {
        if (predicate.Constant is { } known)
        {
            if (known) body();
            return;
        }

        _guard = GuardOf(predicate);
        _scopes.Push([]);
        body();
        _scopes.Pop();
        _guard = null;
    }

    /// <summary>Ends the thread.</summary>
    public void Return() => EmitVoid("ret", [], []);

    /// <summary>Ends the threads where the predicate holds.</summary>
    public void ReturnIf(Pred predicate) => EmitVoid("ret", [], [], predicate: predicate);

    /// <summary>Stops the kernel with an error: for what must not happen.</summary>
    public void TrapIf(Pred predicate) => EmitVoid("trap", [], [], predicate: predicate);

    internal void Jump(string label, Pred? predicate, bool uniform)
    {
        if (_guard is not null) throw new PtxException($"kernel '{Name}': control flow inside Guarded");
        EmitVoid(uniform ? "bra.uni" : "bra", [], [new LabelOperand(label)], predicate: predicate);
    }

    private void Place(string label) => _body.Add(new Label(label));

    /// <summary>What is computed inside a branch is not there after it.</summary>
    private void Scope(Action body)
    {
        _scopes.Push([]);
        body();
        _scopes.Pop();
    }
}

/// <summary>A loop being written: how to leave it early.</summary>
public sealed class LoopScope
{
    private readonly KernelBuilder _builder;

    internal LoopScope(KernelBuilder builder, string next, string end) => (_builder, Next, End) = (builder, next, end);

    internal string Next { get; }

    internal string End { get; }

    internal bool NextUsed { get; private set; }

    internal bool EndUsed { get; private set; }

    /// <summary>Leaves the loop where the predicate holds.</summary>
    public void BreakIf(Pred predicate)
    {
        EndUsed = true;
        _builder.Jump(End, predicate, false);
    }

    /// <summary>Goes on with the next round where the predicate holds.</summary>
    public void ContinueIf(Pred predicate)
    {
        NextUsed = true;
        _builder.Jump(Next, predicate, false);
    }
}
