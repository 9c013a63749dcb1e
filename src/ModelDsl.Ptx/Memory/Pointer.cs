using ModelDsl.Ptx.Instructions;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Ptx.Memory;

/// <summary>How a load goes through the caches.</summary>
public enum LoadHint
{
    /// <summary>Ordinary.</summary>
    Default,

    /// <summary>Nobody writes it while the kernel runs: <c>.nc</c>.</summary>
    ReadOnly,

    /// <summary>Read-only and read once: <c>.nc.L1::no_allocate</c>. For weights.</summary>
    Streaming,

    /// <summary>Past the first cache, to see what other blocks wrote: <c>.cg</c>.</summary>
    L2,

    /// <summary>Memory as it is now: <c>.volatile</c>.</summary>
    Volatile,
}

/// <summary>Where something is: a base register or symbol, and a constant number of bytes beyond it.</summary>
/// <typeparam name="T">What lies there.</typeparam>
public abstract class Pointer<T> where T : Value
{
    private protected Pointer(KernelBuilder builder, Operand @base, long offset) => (K, Base, ByteOffset) = (builder, @base, offset);

    internal KernelBuilder K { get; }

    internal Operand Base { get; }

    /// <summary>Constant part of the address, in bytes; printed inside <c>[reg+offset]</c>.</summary>
    public long ByteOffset { get; }

    internal abstract string Space { get; }

    private protected static int Size => Element<T>.Value.Bytes;

    /// <summary>Reads or writes one element.</summary>
    public T this[S32 index]
    {
        get => Load(index);
        set => Store(value, index);
    }

    /// <summary>Reads one element.</summary>
    public T Load(S32? index = null, LoadHint hint = LoadHint.Default) =>
        Element<T>.Value.Wrap(K, K.EmitOne(LoadName(1, hint), Effect.Reads, Element<T>.Value.Register.Class, [Address(index)]));

    /// <summary>Reads one element where the predicate holds; elsewhere touches nothing and gives <paramref name="otherwise"/>.</summary>
    public T LoadOr(Pred predicate, T otherwise, S32? index = null, LoadHint hint = LoadHint.Default) =>
        LoadVectorOr(predicate, otherwise, 1, index, hint)[0];

    /// <summary>Reads 1, 2 or 4 neighbours at once (16 bytes at most). The address must be a multiple of what is read.</summary>
    public T[] LoadVector(int count, S32? index = null, LoadHint hint = LoadHint.Default)
    {
        var registers = Fresh(count);
        K.EmitVoid(LoadName(count, hint), [Group(registers)], [Address(index)], Effect.Reads);
        return [.. registers.Select(r => Element<T>.Value.Wrap(K, r))];
    }

    /// <summary>
    /// As <see cref="LoadVector"/>, where the predicate holds; elsewhere touches nothing and gives copies of <paramref name="otherwise"/>.
    /// </summary>
    public T[] LoadVectorOr(Pred predicate, T otherwise, int count, S32? index = null, LoadHint hint = LoadHint.Default)
    {
        if (predicate.Constant == true) return LoadVector(count, index, hint);
        if (predicate.Constant == false) return [.. Enumerable.Repeat(otherwise, count)];
        var address = Address(index);
        var registers = Fresh(count);
        var cls = Element<T>.Value.Register.Class;
        var move = cls == RegisterClass.F32 ? "mov.f32" : cls == RegisterClass.F64 ? "mov.f64" : $"mov.b{Element<T>.Value.Register.Bits}";
        foreach (var register in registers) K.EmitVoid(move, [register], [otherwise.Operand], Effect.None);
        K.EmitVoid(LoadName(count, hint), [Group(registers)], [address], Effect.Reads, predicate);
        return [.. registers.Select(r => Element<T>.Value.Wrap(K, r))];
    }

    /// <summary>Writes one element.</summary>
    public void Store(T value, S32? index = null) => K.EmitVoid(StoreName(1), [], [Address(index), value.Operand]);

    /// <summary>Writes one element where the predicate holds.</summary>
    public void StoreIf(Pred predicate, T value, S32? index = null)
    {
        if (predicate.Constant == false) return;
        K.EmitVoid(StoreName(1), [], [Address(index), value.Operand], predicate: predicate);
    }

    /// <summary>Writes 1, 2 or 4 neighbours at once (16 bytes at most). The address must be a multiple of what is written.</summary>
    public void StoreVector(IReadOnlyList<T> values, S32? index = null, Pred? predicate = null)
    {
        if (predicate?.Constant == false) return;
        var operands = values.Select(v => K.InRegister(v)).ToArray();
        K.EmitVoid(StoreName(values.Count), [], [Address(index), Group(operands)], predicate: predicate);
    }

    /// <summary>Adds and returns what was there before.</summary>
    public T AtomicAdd(T value, S32? index = null) => Atomic("add", value, index);

    /// <summary>Keeps the larger and returns what was there before. Integers only.</summary>
    public T AtomicMax(T value, S32? index = null) => Atomic("max", value, index);

    /// <summary>Keeps the smaller and returns what was there before. Integers only.</summary>
    public T AtomicMin(T value, S32? index = null) => Atomic("min", value, index);

    /// <summary>Replaces and returns what was there before.</summary>
    public T AtomicExchange(T value, S32? index = null) => Atomic("exch", value, index);

    /// <summary>Replaces if equal to <paramref name="expected"/>; returns what was there before.</summary>
    public T AtomicCompareSwap(T expected, T value, S32? index = null) => Updated(
        $"atom.{Space}.cas.{AtomicBits("cas")}", [Address(index), K.InRegister(expected), K.InRegister(value)]);

    /// <summary>Adds; the old value is not wanted.</summary>
    public void ReduceAdd(T value, S32? index = null, Pred? predicate = null)
    {
        if (predicate?.Constant == false) return;
        K.EmitVoid($"red.{Space}.add.{AtomicType("add")}", [], [Address(index), K.InRegister(value)], predicate: predicate);
    }

    /// <summary>Keeps the larger; the old value is not wanted.</summary>
    public void ReduceMax(T value, S32? index = null, Pred? predicate = null)
    {
        if (predicate?.Constant == false) return;
        K.EmitVoid($"red.{Space}.max.{AtomicType("max")}", [], [Address(index), K.InRegister(value)], predicate: predicate);
    }

    /// <summary>The address of an element.</summary>
    internal AddressOperand Address(S32? index)
    {
        if (index is null) return new AddressOperand(Base, ByteOffset);
        var (@base, offset) = Moved(index, Size);
        return new AddressOperand(@base, offset);
    }

    /// <summary>
    /// Base and offset, <paramref name="index"/> times <paramref name="scale"/> bytes further. Constants go into the offset.
    /// </summary>
    private protected (Operand Base, long Offset) Moved(S32 index, long scale)
    {
        if (index.Constant is { } constant) return (Base, ByteOffset + constant * scale);
        if (Integer.ConstantPart(K, index) is { } sum) return (Scaled(sum.Variable, scale), ByteOffset + (int)sum.Part * scale);
        return (Scaled(index, scale), ByteOffset);
    }

    /// <summary>The base, moved by a register times a constant.</summary>
    private protected abstract Operand Scaled(S32 index, long scale);

    /// <summary>The type after <c>add</c>, <c>min</c> or <c>max</c>: sums of 64 bits need no sign, and only sums may be of floats.</summary>
    private string AtomicType(string operation)
    {
        var type = Element<T>.Value.Register;
        if (Size * 8 == type.Bits)
            switch (type.Suffix)
            {
                case "u32" or "s32" or "u64": return type.Suffix;
                case "b32" or "b64": return $"u{type.Bits}";
                case "s64": return operation == "add" ? "u64" : "s64";
                case "f32" or "f64" when operation == "add": return type.Suffix;
                case "f16" or "bf16" or "f16x2" or "bf16x2" when operation == "add": return "noftz." + type.Suffix;
            }
        throw new PtxException($"there is no atomic {operation} of {typeof(T).Name}");
    }

    /// <summary>The type after <c>exch</c> or <c>cas</c>.</summary>
    private string AtomicBits(string operation) => Size * 8 is 32 or 64 || (operation == "cas" && Size == 2)
        ? $"b{Size * 8}"
        : throw new PtxException($"there is no atomic {operation} of {typeof(T).Name}");

    private T Atomic(string operation, T value, S32? index) => Updated(
        $"atom.{Space}.{operation}.{(operation == "exch" ? AtomicBits(operation) : AtomicType(operation))}", [Address(index), K.InRegister(value)]);

    private T Updated(string name, Operand[] sources) =>
        Element<T>.Value.Wrap(K, K.EmitOne(name, Effect.Writes, Element<T>.Value.Register.Class, sources));

    private Operand[] Fresh(int count)
    {
        if (count is not (1 or 2 or 4) || count * Size > 16) throw new PtxException($"no vector access of {count} times {Size} bytes");
        return [.. Enumerable.Range(0, count).Select(_ => (Operand)K.NewRegister(Element<T>.Value.Register.Class))];
    }

    private static Operand Group(Operand[] registers) => registers.Length == 1 ? registers[0] : new VectorOperand(registers);

    private string LoadName(int count, LoadHint hint)
    {
        if (Space != "global" && hint is LoadHint.ReadOnly or LoadHint.Streaming or LoadHint.L2)
            throw new PtxException($"the hint {hint} is for global memory, not for .{Space}");
        var (before, after) = hint switch
        {
            LoadHint.ReadOnly => ("", ".nc"),
            LoadHint.Streaming => ("", ".nc.L1::no_allocate"),
            LoadHint.L2 => ("", ".cg"),
            LoadHint.Volatile => (".volatile", ""),
            _ => ("", ""),
        };
        return $"ld{before}.{Space}{after}{Vector(count)}.{Element<T>.Value.Memory}";
    }

    private string StoreName(int count) => $"st.{Space}{Vector(count)}.{Element<T>.Value.Memory}";

    private static string Vector(int count) => count == 1 ? "" : $".v{count}";
}
