namespace ModelDsl.Runtime.Checkpoints;

/// <summary>A checkpoint cannot be used. The message names the file, the tensor where there is one, and the cause.</summary>
public sealed class CheckpointException : Exception
{
    public CheckpointException(string file, string? tensor, string cause, Exception? inner = null)
        : base(tensor is null ? $"{file}: {cause}" : $"{file}: tensor {tensor}: {cause}", inner)
    {
        File = file;
        Tensor = tensor;
    }

    /// <summary>The file or folder that is at fault.</summary>
    public string File { get; }

    /// <summary>The tensor that is at fault, if it is one.</summary>
    public string? Tensor { get; }
}
