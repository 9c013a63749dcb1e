using System.Runtime.CompilerServices;

namespace ModelDsl.Runtime.Devices;

/// <summary>What an instruction does, roughly: which part of a GPU it keeps busy.</summary>
public enum InstructionClass
{
    /// <summary>Loads, stores, copies, atomics, fragments from shared memory.</summary>
    Memory,

    /// <summary>Products of matrix fragments.</summary>
    Matrix,

    /// <summary>Arithmetic and comparisons of floating-point numbers.</summary>
    Float,

    /// <summary>Arithmetic, comparisons and bits of integers: addresses, indices, predicates.</summary>
    Integer,

    /// <summary>Moves, selections, conversions between formats.</summary>
    Move,

    /// <summary>Exchange between the lanes of a warp: shuffles, votes.</summary>
    Warp,

    /// <summary>Branches, calls, exits, barriers, fences.</summary>
    Control,
}

/// <summary>How many instructions of each class, counted once per warp.</summary>
[InlineArray(Classes)]
public struct InstructionMix
{
    /// <summary>How many classes there are.</summary>
    public const int Classes = 7;

    private ulong _first;

    public readonly ulong Total
    {
        get
        {
            ulong total = 0;
            foreach (ulong count in this) total += count;
            return total;
        }
    }

    /// <summary>The count of one class.</summary>
    public readonly ulong Of(InstructionClass kind) => this[(int)kind];

    public static InstructionMix operator +(InstructionMix a, InstructionMix b)
    {
        for (int i = 0; i < Classes; i++) a[i] += b[i];
        return a;
    }

    public static InstructionMix operator -(InstructionMix a, InstructionMix b)
    {
        for (int i = 0; i < Classes; i++) a[i] -= b[i];
        return a;
    }
}
