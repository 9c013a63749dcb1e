using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>An element in memory and the row it is loaded to or stored from.</summary>
internal unsafe interface IElement
{
    static abstract int Size { get; }

    /// <summary>True if the register has 64 bits.</summary>
    static abstract bool Wide { get; }

    /// <summary>The element as its register holds it.</summary>
    static abstract ulong Value(byte* from);
    static abstract void Load(byte* from, byte* row, int lane);
    static abstract void Store(byte* to, byte* row, int lane);

    /// <summary>32 elements in sequence.</summary>
    static abstract void LoadRow(byte* from, byte* row);
    static abstract void StoreRow(byte* to, byte* row);
}

internal readonly unsafe struct Word32 : IElement
{
    public static int Size => 4;
    public static bool Wide => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Value(byte* from) => *(uint*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* from, byte* row, int lane) => ((uint*)row)[lane] = *(uint*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* to, byte* row, int lane) => *(uint*)to = ((uint*)row)[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadRow(byte* from, byte* row) => Rows.Copy(from, row, 128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRow(byte* to, byte* row) => Rows.Copy(row, to, 128);
}

internal readonly unsafe struct Word64 : IElement
{
    public static int Size => 8;
    public static bool Wide => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Value(byte* from) => *(ulong*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* from, byte* row, int lane) => ((ulong*)row)[lane] = *(ulong*)from;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* to, byte* row, int lane) => *(ulong*)to = ((ulong*)row)[lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadRow(byte* from, byte* row) => Rows.Copy(from, row, 256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRow(byte* to, byte* row) => Rows.Copy(row, to, 256);
}

/// <summary>A narrower element in a register of <typeparamref name="TRow"/>, extended by the sign of <typeparamref name="T"/>.</summary>
internal readonly unsafe struct Narrow<T, TRow> : IElement
    where T : unmanaged
    where TRow : unmanaged
{
    public static int Size => sizeof(T);
    public static bool Wide => sizeof(TRow) == 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Value(byte* from)
    {
        long value = typeof(T) == typeof(sbyte) ? *(sbyte*)from : typeof(T) == typeof(short) ? *(short*)from : typeof(T) == typeof(int) ? *(int*)from
            : typeof(T) == typeof(byte) ? *from : typeof(T) == typeof(ushort) ? *(ushort*)from : *(uint*)from;
        // Registers of 16 bits keep the upper half of their lane zero.
        return sizeof(TRow) == 2 ? (ushort)value : sizeof(TRow) == 4 ? (uint)value : (ulong)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* from, byte* row, int lane)
    {
        if (sizeof(TRow) == 8) ((ulong*)row)[lane] = Value(from);
        else ((uint*)row)[lane] = (uint)Value(from);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* to, byte* row, int lane)
    {
        ulong value = sizeof(TRow) == 8 ? ((ulong*)row)[lane] : ((uint*)row)[lane];
        if (sizeof(T) == 1) *to = (byte)value;
        else if (sizeof(T) == 2) *(ushort*)to = (ushort)value;
        else *(uint*)to = (uint)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadRow(byte* from, byte* row)
    {
        if (typeof(T) == typeof(ushort) && sizeof(TRow) <= 4)
        {
            var (low, high) = Vector512.Widen(Vector512.Load((ushort*)from));
            low.Store((uint*)row);
            high.Store((uint*)row + 16);
            return;
        }
        for (int lane = 0; lane < 32; lane++) Load(from + lane * sizeof(T), row, lane);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRow(byte* to, byte* row)
    {
        if (sizeof(T) == 2 && sizeof(TRow) <= 4)
        {
            Vector512.Narrow(Vector512.Load((uint*)row), Vector512.Load((uint*)row + 16)).Store((ushort*)to);
            return;
        }
        for (int lane = 0; lane < 32; lane++) Store(to + lane * sizeof(T), row, lane);
    }
}

internal static unsafe class Rows
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(byte* from, byte* to, int bytes)
    {
        for (int i = 0; i < bytes; i += 64) Vector512.Load(from + i).Store(to + i);
    }
}
