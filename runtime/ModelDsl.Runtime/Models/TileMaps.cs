using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>Tensor maps of a model's matrices. Steps repeat, so each is made once and then looked up, which neither asks the driver nor allocates.</summary>
internal sealed class TileMaps(IDevice device)
{
    /// <summary>Steps of many different sizes would keep maps of all of them; all are forgotten then.</summary>
    private const int Most = 8192;

    private readonly Dictionary<Matrix, KernelArgument> _made = [];

    public KernelArgument Of(Matrix matrix)
    {
        if (_made.TryGetValue(matrix, out var made)) return made;
        var map = TensorMap.Matrix(matrix.Address, matrix.Element, matrix.Rows, matrix.Columns, matrix.BoxRows, matrix.BoxColumns, TensorMapSwizzle.Bytes128);
        if (_made.Count == Most) _made.Clear();
        return _made[matrix] = device.Encode(matrix.Groups > 0 ? map.Grouped(matrix.Groups) : map);
    }

    /// <param name="Groups">Matrices one behind the other; 0 for one that is none of many.</param>
    public readonly record struct Matrix(ulong Address, TensorMapElement Element, int Rows, int Columns, int BoxRows, int BoxColumns, int Groups);
}
