using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu.Memory;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>The rows of a tile along the fastest dimension, one after the other.</summary>
/// <param name="map">The tensor's map.</param>
/// <param name="at">Coordinates of the tile's first element.</param>
internal unsafe struct TensorWalk(TensorMapImage* map, int* at)
{
    private fixed int _index[TensorMap.MostDimensions];
    private bool _hasStarted;

    /// <summary>Elements of a row in the tile.</summary>
    public readonly int Across => map->Count(0);

    /// <summary>The first of them that is in the tensor, along the fastest dimension.</summary>
    public readonly int From => (int)Math.Clamp((-(long)at[0] + map->Steps[0] - 1) / map->Steps[0], 0, Across);

    /// <summary>The one behind the last that is.</summary>
    public readonly int To => (int)Math.Clamp((map->LastIndices[0] + 1L - at[0] + map->Steps[0] - 1) / map->Steps[0], 0, Across);

    /// <summary>Some of the row is in the tensor.</summary>
    public bool IsInside { get; private set; }

    /// <summary>Address of the element at <see cref="From"/>, where it is inside.</summary>
    public ulong Global { get; private set; }

    /// <summary>Bytes from there to the last element that is inside.</summary>
    public readonly int Span => ((To - From - 1) * map->Steps[0] + 1) * map->ElementBytes;

    /// <summary>Bytes from the start of the tile to the row, before any pattern.</summary>
    public int Offset { get; private set; }

    public bool MoveNext()
    {
        int rank = map->Rank;
        if (_hasStarted)
        {
            Offset += Across * map->ElementBytes;
            int next = 1;
            while (next < rank && ++_index[next] == map->Count(next)) _index[next++] = 0;
            if (next >= rank) return false;
        }
        _hasStarted = true;
        IsInside = To > From;
        Global = map->Address + (ulong)((at[0] + (long)From * map->Steps[0]) * map->ElementBytes);
        for (int n = 1; n < rank; n++)
        {
            long coordinate = at[n] + (long)_index[n] * map->Steps[n];
            IsInside &= (ulong)coordinate <= map->LastIndices[n];
            Global += (ulong)coordinate * map->Strides[n];
        }
        return true;
    }
}
