using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.Models;

/// <summary>Device memory that only drafting needs.</summary>
internal sealed class DraftBuffers : IDisposable
{
    private readonly DeviceMemory _memory;
    private readonly int _rowBytes;
    private readonly int _vocabulary;

    /// <param name="logitRows">Most rows of logits of any step.</param>
    public DraftBuffers(IDevice device, ModelLayout layout, MtpLayout mtp, int logitRows)
    {
        (_rowBytes, _vocabulary) = (mtp.HiddenRowBytes, layout.Vocabulary);
        // Rows of hidden states need not be aligned, buffers do.
        var hidden = ((long)Math.Max(layout.PrefillTokens, layout.DecodeSequences) * _rowBytes + 255) / 256 * 256;
        _memory = device.Allocate(2 * hidden + (long)logitRows * _vocabulary * sizeof(float));
        (Hidden, DraftHidden, Logits) = (_memory.Address, _memory.Address + (ulong)hidden, _memory.Address + 2 * (ulong)hidden);
    }

    /// <summary>Hidden states of the model's last step, io [rows, hidden].</summary>
    public ulong Hidden { get; }

    /// <summary>Hidden states of the MTP module's last step, io [rows, hidden].</summary>
    public ulong DraftHidden { get; }

    /// <summary>Logits of the MTP module's last step, f32 [rows, vocabulary].</summary>
    public ulong Logits { get; }

    /// <summary>Bytes of so many rows of hidden states.</summary>
    public ulong HiddenBytes(int rows) => (ulong)((long)rows * _rowBytes);

    /// <summary>Address of a row of logits.</summary>
    public ulong LogitsOf(int row) => Logits + (ulong)((long)row * _vocabulary * sizeof(float));

    public void Dispose() => _memory.Dispose();
}
