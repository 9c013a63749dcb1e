using System.Globalization;
using ModelDsl.Cli.Input;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Cli.Execution;

/// <summary>
/// A tensor map by value: <c>tensormap(buf:bf16[256,512]:zeros,box=64x128,swizzle=128)</c>, or of the buffer of an argument before it, <c>tensormap(@2,box=64x64)</c>.
/// Sizes are in the order of the buffer's shape, the fastest dimension last.
/// </summary>
/// <param name="Buffer">A buffer of the map's own; null where it is one of another argument.</param>
/// <param name="Reference">Number of that argument.</param>
internal sealed record TensorMapArgument(string Text, BufferArgument? Buffer, int Reference) : ExecArgument(Text)
{
    public const string Form = "tensormap(BUFFER or @N,box=AxB[,swizzle=32|64|128][,sizes=AxB][,strides=BYTES][,steps=AxB][,fill=nan])";

    public int[] Box { get; private init; } = [];

    /// <summary>Elements along each dimension where they are not the buffer's; empty for the buffer's.</summary>
    public long[] Sizes { get; private init; } = [];

    /// <summary>Bytes from one to the next along all dimensions but the last; empty for rows without gaps.</summary>
    public long[] Strides { get; private init; } = [];

    public int[] Steps { get; private init; } = [];

    public TensorMapSwizzle Swizzle { get; private init; }

    public bool FillsWithNaN { get; private init; }

    /// <param name="parse">Reads the buffer.</param>
    public static TensorMapArgument Parse(string text, IReadOnlyList<string> members, string whole, Func<string, ExecArgument> parse)
    {
        TroubleException Wrong(string what) => TroubleException.Usage($"--arg {whole}: {what}; the form is {Form}");
        var first = members[0].Trim();
        TensorMapArgument map;
        if (first.StartsWith('@')) map = int.TryParse(first[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? new(text, null, number) : throw Wrong($"'{first}' is no argument");
        else map = parse(first) is BufferArgument buffer ? new(text, buffer, -1) : throw Wrong($"'{first}' is no buffer");
        foreach (var option in members.Skip(1).Select(member => member.Trim().Split('=', 2)))
        {
            var value = option.Length == 2 ? option[1] : "";
            long[] Numbers() => [.. value.Split('x').Select(part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n <= int.MaxValue ? n : throw Wrong($"'{part}' is no size"))];
            map = option[0] switch
            {
                "box" => map with { Box = [.. Numbers().Select(n => (int)n)] },
                "sizes" => map with { Sizes = Numbers() },
                "strides" => map with { Strides = Numbers() },
                "steps" => map with { Steps = [.. Numbers().Select(n => (int)n)] },
                "swizzle" => map with { Swizzle = Pattern(value) ?? throw Wrong($"there is no swizzle '{value}'") },
                "fill" when value is "nan" or "zero" => map with { FillsWithNaN = value == "nan" },
                _ => throw Wrong($"'{string.Join('=', option)}' is not known"),
            };
        }
        return map.Box.Length > 0 ? map : throw Wrong("box= is missing");
    }

    /// <summary>The map of a buffer at an address.</summary>
    public TensorMap Of(BufferArgument buffer, ulong address)
    {
        var sizes = Sizes.Length > 0 ? Sizes : buffer.Shape;
        if (sizes.Length != Box.Length) throw TroubleException.Usage($"--arg {Text}: the tensor has {sizes.Length} dimensions, the box {Box.Length}");
        var strides = Strides;
        if (strides.Length == 0)
        {
            strides = new long[Math.Max(0, sizes.Length - 1)];
            for (var (n, bytes) = (sizes.Length - 1, (long)buffer.Type.Bytes()); n > 0; n--) strides[n - 1] = bytes *= sizes[n];
        }
        return new TensorMap(address, Element(buffer.Type), [.. sizes.Reverse()], [.. strides.Reverse()], [.. Box.Reverse()])
        {
            Swizzle = Swizzle, Steps = [.. Steps.Reverse()], FillsWithNaN = FillsWithNaN,
        };
    }

    private static TensorMapSwizzle? Pattern(string value) => value.TrimEnd('B', 'b') switch
    {
        "none" or "0" => TensorMapSwizzle.None,
        "32" => TensorMapSwizzle.Bytes32,
        "64" => TensorMapSwizzle.Bytes64,
        "128" => TensorMapSwizzle.Bytes128,
        _ => null,
    };

    private static TensorMapElement Element(StorageType type) => type switch
    {
        StorageType.I16 or StorageType.U16 => TensorMapElement.U16,
        StorageType.F16 => TensorMapElement.F16,
        StorageType.BF16 => TensorMapElement.BF16,
        StorageType.I32 => TensorMapElement.S32,
        StorageType.U32 => TensorMapElement.U32,
        StorageType.F32 => TensorMapElement.F32,
        StorageType.I64 => TensorMapElement.S64,
        StorageType.U64 => TensorMapElement.U64,
        StorageType.F64 => TensorMapElement.F64,
        _ => TensorMapElement.U8,
    };
}
