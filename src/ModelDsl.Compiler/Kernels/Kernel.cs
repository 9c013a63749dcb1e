using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Targets;

namespace ModelDsl.Compiler.Kernels;

/// <summary>
/// One kernel, specialised by the shapes that are known when the model is compiled. Equal records are the same kernel:
/// that is how the sixty-one layers of a model come to share theirs.
/// </summary>
public abstract record Kernel
{
    /// <summary>Name of the <c>.entry</c> and of its file; lower case, digits and underscores; different for different specialisations.</summary>
    public abstract string Name { get; }

    /// <summary>Parameters in launch order.</summary>
    public abstract ImmutableArray<KernelParameter> Parameters { get; }

    public abstract LaunchGeometry Geometry { get; }

    /// <summary>The parameter that <see cref="DimSymbol.Rows"/> stands for in tensor maps.</summary>
    public virtual string RowsParameter => "rows";

    /// <summary>The oldest target that has the instructions the kernel is made of. Conversions to and from E4M3 came with Ada.</summary>
    public virtual PtxTarget MinimumTarget => Parameters.Any(p => p.Type == DType.E4M3) ? PtxTarget.Sm89 : PtxTarget.Sm80;

    /// <summary>Writes the kernel as a module of its own: a pure function of the record and the target.</summary>
    /// <param name="lines">With the lines of this C# that its instructions come from, for tools that point at them.</param>
    /// <exception cref="PtxException">The target lacks what the kernel is made of; see <see cref="MinimumTarget"/>.</exception>
    public PtxModule Emit(PtxTarget target, bool lines = false)
    {
        var geometry = Geometry;
        var module = new PtxModule(target);
        var kernel = module.Kernel(Name, k =>
        {
            k.RequireThreads(geometry.Threads);
            Write(k);
        }, lines);
        if (kernel.DynamicSharedBytes != geometry.SharedBytes)
            throw new PtxException($"kernel '{Name}' uses {kernel.DynamicSharedBytes} bytes of shared memory, its geometry says {geometry.SharedBytes}");
        return module;
    }

    /// <summary>Declares the parameters in the order of <see cref="Parameters"/> and writes the body.</summary>
    protected abstract void Write(KernelBuilder k);
}

public enum ParameterKind
{
    /// <summary>A <c>.u64</c> address in global memory that the kernel only reads.</summary>
    Input,

    /// <summary>A <c>.u64</c> address that the kernel only writes.</summary>
    Output,

    /// <summary>A <c>.u64</c> address that the kernel reads and writes.</summary>
    InOut,

    /// <summary>A <c>.s32</c> number: a row count, a length.</summary>
    Int32,

    /// <summary>A <c>.f32</c> number.</summary>
    Float32,
}

/// <param name="Type">Element type behind a pointer; <see cref="DType.I32"/> or <see cref="DType.F32"/> for a number.</param>
public sealed record KernelParameter(string Name, ParameterKind Kind, DType Type)
{
    /// <summary>Where the kernel gets a tensor map by value instead of an address: what map; null for an address or a number.</summary>
    public TileMap? Map { get; init; }

    public static KernelParameter In(string name, DType type) => new(name, ParameterKind.Input, type);

    public static KernelParameter Out(string name, DType type) => new(name, ParameterKind.Output, type);

    public static KernelParameter InOut(string name, DType type) => new(name, ParameterKind.InOut, type);

    public static KernelParameter Int(string name) => new(name, ParameterKind.Int32, DType.I32);

    public static KernelParameter Float(string name) => new(name, ParameterKind.Float32, DType.F32);
}

/// <summary>A tensor map of a row-major matrix. Tiles lie in shared memory in swizzled rows of 128 bytes.</summary>
/// <param name="Rows">Of the matrix, for the launch, as are its columns.</param>
/// <param name="BoxRows">Of a tile.</param>
public sealed record TileMap(Dim Rows, Dim Columns, int BoxRows, int BoxColumns)
{
    /// <summary>Matrices that lie one behind the other, as the map's third dimension; null for a map of two.</summary>
    public int? Groups { get; init; }
}

/// <summary>
/// How a kernel is launched. The grid may depend on the step, the block never does. A kernel that works row by row for
/// whoever calls it states its grid in <see cref="Dim.Rows"/>; <see cref="For"/> makes it that of one launch.
/// </summary>
/// <param name="Threads">Threads per block (x only).</param>
/// <param name="SharedBytes">Dynamic shared memory per block.</param>
public sealed record LaunchGeometry(Dim GridX, Dim GridY, Dim GridZ, int Threads, int SharedBytes = 0)
{
    public LaunchGeometry(Dim gridX, int threads, int sharedBytes = 0)
        : this(gridX, 1, 1, threads, sharedBytes)
    {
    }

    /// <summary>The geometry of a launch whose <c>tokens</c> or <c>rows</c> argument is <paramref name="rows"/>.</summary>
    public LaunchGeometry For(Dim rows) => this with
    {
        GridX = GridX.Substitute(DimSymbol.Rows, rows),
        GridY = GridY.Substitute(DimSymbol.Rows, rows),
        GridZ = GridZ.Substitute(DimSymbol.Rows, rows),
    };
}
