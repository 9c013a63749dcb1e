using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Transposed;

/// <summary>What <see cref="TransposedQuantizeKernel"/> quantises: numbers as they are in memory, or computed from them on the way.</summary>
public abstract record TransposedSource
{
    private protected TransposedSource()
    {
    }

    /// <summary>For the kernel's name.</summary>
    internal abstract string Name { get; }

    /// <summary>Ahead of the kernel's own.</summary>
    internal abstract ImmutableArray<KernelParameter> Parameters { get; }

    /// <summary>Elements that one load may take of rows of <paramref name="width"/>; no more than 8.</summary>
    internal abstract int Vector(int width);

    /// <summary>Declares <see cref="Parameters"/>.</summary>
    internal abstract Reader Open(KernelBuilder k, int width);

    /// <summary>Values of <paramref name="tokens"/>, of <paramref name="rows"/> that there are, each in <paramref name="pieces"/> that count from column <paramref name="start"/> on; zeros outside.</summary>
    internal delegate F32[][][] Reader(IReadOnlyList<SourceToken> tokens, S32 start, IReadOnlyList<RowPiece> pieces, S32 rows);

    private protected static F32[][] Read(ActivationPtr x, SourceToken token, int stride, S32 start, IReadOnlyList<RowPiece> pieces, int vector)
    {
        var from = x.Row(token.Row, stride).Plus(start);
        return [.. pieces.Select(piece => from.Load(piece.Offset, vector, token.Inside & piece.Inside))];
    }
}

/// <param name="Row">In the source.</param>
/// <param name="Inside">Whether there is such a row.</param>
internal sealed record SourceToken(S32 Row, Pred Inside);

/// <summary><c>x</c> io[T,W].</summary>
public sealed record PlainSource(DType Io) : TransposedSource
{
    internal override string Name => Io.Text();

    internal override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("x", Io)];

    internal override int Vector(int width) => VectorWidth.Of(Io, width);

    internal override Reader Open(KernelBuilder k, int width)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        return (tokens, start, pieces, _) => [.. tokens.Select(token => Read(x, token, width, start, pieces, Vector(width)))];
    }
}

/// <summary><c>silu(x[:, 0:W]) * x[:, UpOffset:UpOffset+W]</c>, rounded to io: what <see cref="Elementwise.SwiGluKernel"/> quantises.</summary>
/// <param name="UpOffset">Where the second factor starts within a row of <c>x</c>.</param>
/// <param name="RowStride">Elements from one row of <c>x</c> to the next.</param>
public sealed record SwiGluSource(int UpOffset, int RowStride, DType Io) : TransposedSource
{
    internal override string Name => $"swiglu_u{UpOffset}_s{RowStride}_{Io.Text()}";

    internal override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("x", Io)];

    internal override int Vector(int width) => VectorWidth.Of(Io, width, UpOffset, RowStride);

    internal override Reader Open(KernelBuilder k, int width)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        return (tokens, start, pieces, _) =>
        {
            F32[][][] Half(S32 first) => [.. tokens.Select(token => Read(x, token, RowStride, first, pieces, Vector(width)))];
            var (gates, ups) = (Half(start), Half(start + UpOffset));
            return [.. gates.Zip(ups, (gate, up) => gate.Zip(up, (g, u) => x.Rounded([.. g.Zip(u, (a, b) => Elementwise.SwiGluKernel.Silu(k, a) * b)])).ToArray())];
        };
    }
}

/// <summary><c>x * factors * weight</c>, rounded to io: what <see cref="Norm.RmsNormKernel"/> with <c>WriteFactors</c> has made of <c>x</c> io[T,RowStride]; <c>factors</c> f32[T], <c>weight</c> f32[W].</summary>
public sealed record NormalizedSource(int RowStride, DType Io) : TransposedSource
{
    internal override string Name => $"norm_s{RowStride}_{Io.Text()}";

    internal override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("x", Io), KernelParameter.In("factors", DType.F32), KernelParameter.In("weight", DType.F32)];

    internal override int Vector(int width) => VectorWidth.Of(Io, width, RowStride);

    internal override Reader Open(KernelBuilder k, int width)
    {
        var x = ActivationPtr.Param(k, "x", Io);
        var (factors, weight) = (k.GlobalPtrParam<F32>("factors"), k.GlobalPtrParam<F32>("weight"));
        return (tokens, start, pieces, _) =>
        {
            var values = tokens.Select(token => Read(x, token, RowStride, start, pieces, Vector(width))).ToArray();
            var ofRows = tokens.Select(token => factors.LoadOr(token.Inside, 0f, token.Row)).ToArray();
            var ofColumns = pieces.Select(piece => (weight + start).AddBytes(4L * piece.Offset).LoadManyOr(piece.Inside, Vector(width), Ptx.Memory.LoadHint.ReadOnly)).ToArray();
            return [.. values.Select((row, t) => row.Select((piece, j) => x.Rounded([.. piece.Zip(ofColumns[j], (v, w) => v * ofRows[t] * w)])).ToArray())];
        };
    }
}

/// <summary>
/// Activations that were kept as <c>codes</c> e4m3[T,W] with <c>row_scales</c> (<see cref="ScaleColumns"/>), as FP8 training keeps them between the forward pass and the gradient of weights (V3 report, section 3.3.1).
/// </summary>
public sealed record CodesSource : TransposedSource
{
    internal override string Name => "codes";

    internal override ImmutableArray<KernelParameter> Parameters => [KernelParameter.In("codes", DType.E4M3), KernelParameter.In("row_scales", DType.F32)];

    internal override int Vector(int width) => Math.Min(8, VectorWidth.Of(DType.E4M3, width));

    internal override Reader Open(KernelBuilder k, int width)
    {
        var (codes, scales) = (k.GlobalPtrParam<U8>("codes"), k.GlobalPtrParam<F32>("row_scales"));
        return (tokens, start, pieces, rows) =>
        {
            // All pieces of a block lie in the same 128 columns.
            var group = scales.Row(start / RowTiling.Group, ScaleColumns.Stride(rows));
            var ofRows = tokens.Select(token => group.LoadOr(token.Inside, 0f, token.Row)).ToArray();
            return [.. tokens.Select((token, t) => pieces.Select(piece =>
                CodeLoad.Read(k, (codes.Row(token.Row, width) + start).AddBytes(piece.Offset), Vector(width), token.Inside & piece.Inside).Select(code => code * ofRows[t]).ToArray()).ToArray())];
        };
    }
}
