using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Cli.Execution;

/// <summary>An argument of a kernel as the command line gives it.</summary>
internal abstract record ExecArgument(string Text);

/// <summary>A value of up to eight bytes, or the bytes of a structure.</summary>
internal sealed record ValueArgument(string Text, byte[] Bytes, int Alignment) : ExecArgument(Text);

/// <summary>A pointer to device memory that is there for the launch.</summary>
internal sealed record BufferArgument(string Text, StorageType Type, long[] Shape, BufferContent Content) : ExecArgument(Text)
{
    public long Bytes => Shape.Aggregate((long)Type.Bytes(), (bytes, size) => bytes * size);
}

/// <summary>A structure by value whose members lie as C lays them out.</summary>
internal sealed record StructArgument(string Text, IReadOnlyList<ExecArgument> Members) : ExecArgument(Text);

/// <summary>What a buffer holds before the launch.</summary>
internal abstract record BufferContent
{
    /// <summary>Nothing is written: what is there is undefined.</summary>
    public sealed record Uninitialised : BufferContent;

    /// <summary>Every element the same.</summary>
    public sealed record Fill(byte[] Element) : BufferContent;

    /// <summary>0, 1, 2, …</summary>
    public sealed record Iota : BufferContent;

    /// <summary>The values in order.</summary>
    public sealed record Values(byte[] Bytes) : BufferContent;

    /// <summary>Uniform between the bounds: floats without the upper one, integers with it. Without bounds [-1, 1), or all an integer type holds.</summary>
    public sealed record Uniform(ulong Seed, double? Low, double? High) : BufferContent;

    /// <summary>A tensor of a file, which stays open until it has been copied.</summary>
    public sealed record Stored(StoredTensor Tensor) : BufferContent;
}
