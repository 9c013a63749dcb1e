using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelDsl.Runtime.VirtualGpu.Execution;
using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// 32-bit results that differ from what exact arithmetic gives, where they are widened and become an address. A 32-bit lane is taken
/// to stand for an exact number: its signed value plus a multiple of 2^32, which add, sub, mul.lo, mad.lo, shl and neg carry along; so what wraps
/// over and back again is no overflow. Any other operation (and, rem, shr, loads) takes its operand as it is, so hashes and random
/// numbers are none either. Widening is wrong if the wide value is not the exact one; from 2^31 to 2^32 the unsigned kind is right.
/// </summary>
internal sealed unsafe class OverflowCheck(CheckContext context) : IDisposable
{
    private readonly NativeBuffer _excessRows = new(), _originRows = new();
    private readonly bool[] _isDirty = new bool[BlockBarrier.MaxWarps];
    private byte* _excess, _origins;
    private int _rowBytes;

    public void Begin()
    {
        int warps = context.State->Warps;
        for (int w = 0; w < BlockBarrier.MaxWarps; w++)
        {
            if (!_isDirty[w]) continue;
            // Laid out as for the kernel that made it so.
            new Span<byte>(_excess + (long)w * _rowBytes, _rowBytes).Clear();
            new Span<byte>(_origins + (long)w * _rowBytes, _rowBytes).Clear();
            _isDirty[w] = false;
        }
        _rowBytes = context.Launch.Kernel.RegisterBytes;
        _excess = _excessRows.Ensure((long)warps * _rowBytes);
        _origins = _originRows.Ensure((long)warps * _rowBytes);
    }

    /// <summary>Follows an instruction that is about to run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(Warp* warp, CheckSite site, uint mask)
    {
        if (!_isDirty[warp->Index])
        {
            if (site.Arithmetic is < ArithmeticKind.Add or > ArithmeticKind.Negate || !Overflows(warp->Registers, site, mask)) return;
            _isDirty[warp->Index] = true;
        }
        for (uint left = mask; left != 0; left &= left - 1) Lane(warp, site, Bits.TrailingZeroCount(left));
    }

    /// <summary>Looks at the addresses of an access.</summary>
    public void CheckAddress(Warp* warp, CheckSite site, in SiteAddress address, uint mask)
    {
        if (!_isDirty[warp->Index]) return;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = Bits.TrailingZeroCount(left), origin = Origin(warp, address.Row)[lane];
            if (origin == 0) continue;
            if (!address.IsWide && FitsUnsigned(Excess(warp, address.Row)[lane], ((int*)(warp->Registers + address.Row))[lane])) continue;
            CheckSite cause = context.Launch.Kernel.Sites[origin - 1];
            context.Launch.Explained.Add(site.Position);
            if (!context.IsNew(FindingKind.AddressOverflow, cause, site.Position)) continue;
            context.Report(
                FindingKind.AddressOverflow, cause, site.Position, warp, lane, null,
                $"the result does not fit in 32 bits, and becomes part of the address of a {(site.Kind == SiteKind.Load ? "load" : site.Kind == SiteKind.Store ? "store" : "memory access")}");
        }
    }

    private int* Excess(Warp* warp, int row) => (int*)(_excess + (long)warp->Index * _rowBytes + row);

    /// <summary>Number, from one on, of the site whose result did not fit; zero for none.</summary>
    private int* Origin(Warp* warp, int row) => (int*)(_origins + (long)warp->Index * _rowBytes + row);

    private static bool FitsUnsigned(int excess, int value) => excess == 0 || (excess == 1 && value < 0);

    private void Lane(Warp* warp, CheckSite site, int lane)
    {
        byte* r = warp->Registers;
        int[] s = site.Sources;
        int excess = 0, origin = 0;
        switch (site.Arithmetic)
        {
            case ArithmeticKind.Copy when s.Length == 1:
                (excess, origin) = (Excess(warp, s[0])[lane], Origin(warp, s[0])[lane]);
                break;
            case ArithmeticKind.Select when s.Length == 2:
                uint chosen = *(uint*)(r + site.Reads[^1]) ^ (site.Instruction.Operands[3].Negated ? Lanes.All : 0);
                int from = (chosen >> lane & 1) != 0 ? s[0] : s[1];
                (excess, origin) = (Excess(warp, from)[lane], Origin(warp, from)[lane]);
                break;
            case >= ArithmeticKind.Add and <= ArithmeticKind.Negate:
                excess = ExcessOf(warp, site, lane);
                if (excess == 0) break;
                for (int k = 0; k < s.Length && origin == 0; k++) origin = Origin(warp, s[k])[lane];
                if (origin == 0) origin = site.Index + 1;
                break;
            case >= ArithmeticKind.WidenSigned and <= ArithmeticKind.Wide:
                for (int k = 0; k < s.Length && origin == 0; k++)
                {
                    bool isNarrow = site.Arithmetic != ArithmeticKind.Wide && k < 2;
                    bool isRight = isNarrow && (site.Arithmetic is ArithmeticKind.WidenUnsigned or ArithmeticKind.MultiplyWideUnsigned
                        ? FitsUnsigned(Excess(warp, s[k])[lane], ((int*)(r + s[k]))[lane])
                        : Excess(warp, s[k])[lane] == 0);
                    if (!isRight) origin = Origin(warp, s[k])[lane];
                }
                break;
        }
        foreach (int row in site.Results)
        {
            Excess(warp, row)[lane] = excess;
            Origin(warp, row)[lane] = origin;
        }
    }

    /// <summary>By how many times 2^32 the exact result is off the signed 32-bit one.</summary>
    private int ExcessOf(Warp* warp, CheckSite site, int lane)
    {
        int[] s = site.Sources;
        Int128 a = Exact(warp, s[0], lane), b = s.Length > 1 ? Exact(warp, s[1], lane) : 0;
        Int128 exact = site.Arithmetic switch
        {
            ArithmeticKind.Add => a + b,
            ArithmeticKind.Subtract => a - b,
            ArithmeticKind.Multiply => a * b,
            ArithmeticKind.MultiplyAdd => (a * b) + Exact(warp, s[2], lane),
            ArithmeticKind.ShiftLeft => a << Math.Min(((int*)(warp->Registers + s[1]))[lane] & 63, 32),
            _ => -a,
        };
        Int128 excess = (exact - unchecked((int)exact)) >> 32;
        return (int)Int128.Clamp(excess, int.MinValue, int.MaxValue);
    }

    private Int128 Exact(Warp* warp, int row, int lane) => ((int*)(warp->Registers + row))[lane] + ((Int128)Excess(warp, row)[lane] << 32);

    /// <summary>Whether a lane's signed result wraps, operands taken as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Overflows(byte* r, CheckSite site, uint mask)
    {
        int[] s = site.Sources;
        if (s.Length < 2) return false;
        uint wrapped = 0;
        for (int half = 0; half < 2; half++)
        {
            Vector512<int> a = Lanes.Load(r + s[0], half).AsInt32(), b = Lanes.Load(r + s[1], half).AsInt32(), result;
            uint bits;
            switch (site.Arithmetic)
            {
                case ArithmeticKind.Add:
                    result = a + b;
                    bits = (uint)((a ^ result) & (b ^ result)).ExtractMostSignificantBits();
                    break;
                case ArithmeticKind.Subtract:
                    result = a - b;
                    bits = (uint)((a ^ b) & (a ^ result)).ExtractMostSignificantBits();
                    break;
                case ArithmeticKind.ShiftLeft:
                    bits = ShiftedOut(r, s, half);
                    break;
                default:
                    Vector512<int> c = s.Length > 2 ? Lanes.Load(r + s[2], half).AsInt32() : Vector512<int>.Zero;
                    bits = Products(a, b, c);
                    break;
            }
            wrapped |= bits << (16 * half);
        }
        return (wrapped & mask) != 0;
    }

    private static uint ShiftedOut(byte* r, int[] s, int half)
    {
        uint bits = 0;
        int* value = (int*)(r + s[0]) + 16 * half;
        uint* by = (uint*)(r + s[1]) + 16 * half;
        for (int k = 0; k < 16; k++)
        {
            int shift = (int)Math.Min(by[k], 31);
            if (value[k] << shift >> shift != value[k]) bits |= 1u << k;
        }
        return bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Products(Vector512<int> a, Vector512<int> b, Vector512<int> c)
    {
        var (a0, a1) = Vector512.Widen(a);
        var (b0, b1) = Vector512.Widen(b);
        var (c0, c1) = Vector512.Widen(c);
        Vector512<long> p0 = (a0 * b0) + c0, p1 = (a1 * b1) + c1;
        return Outside(p0) | (Outside(p1) << 8);
    }

    private static uint Outside(Vector512<long> exact) => (uint)(~Vector512.Equals(exact, exact << 32 >> 32)).ExtractMostSignificantBits() & 0xFF;

    public void Dispose()
    {
        _excessRows.Dispose();
        _originRows.Dispose();
    }
}
