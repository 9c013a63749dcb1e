using System.Runtime.InteropServices;
using ModelDsl.Runtime.Checkpoints;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.Kv;

namespace ModelDsl.Runtime.Models;

/// <summary>
/// What all generated models share: device memory, the inputs of a step, the paged cache. The generated class holds the
/// launches. A model is used from one thread at a time.
/// </summary>
public abstract partial class CausalLanguageModel : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly LoadedKernels _kernels;
    private readonly StepUpload _upload;
    private readonly TileMaps _maps;
    private readonly RopeTables _rope;
    private readonly PagePool _pages;
    private readonly DeviceMemory _weights;
    private readonly DeviceMemory _workspace;
    private readonly DeviceMemory _cache;
    private readonly DeviceMemory _logits;
    private readonly DeviceMemory _sampled;
    private readonly DraftBuffers? _drafts;
    private readonly int _validIds;
    private bool _disposed;

    /// <summary>Translates the kernels and takes all device memory that the model will ever need.</summary>
    /// <exception cref="ModelException">A kernel is not there, or an option makes no sense.</exception>
    /// <exception cref="DeviceException">The device refuses a kernel or has not enough memory.</exception>
    protected CausalLanguageModel(ModelLayout layout, IDevice device, KernelLibrary kernels, ModelOptions options)
    {
        (Layout, Device, _maps) = (layout, device, new TileMaps(device));
        var cacheTokens = options.CacheTokens ?? layout.Context;
        if (cacheTokens <= 0) throw new ModelException($"A cache of {cacheTokens} tokens is asked for; it should hold at least one.");
        _validIds = Math.Min(options.ValidIds ?? layout.Vocabulary, layout.Vocabulary);
        if (_validIds <= 0) throw new ModelException($"Only ids below {_validIds} may be sampled; there should be at least one.");
        try
        {
            Stream = Own(device.CreateStream());
            _kernels = Own(kernels.Load(device, layout.Kernels));
            _weights = Own(device.Allocate(Math.Max(1, layout.WeightBytes)));
            _workspace = Own(device.Allocate(Math.Max(1, layout.WorkspaceBytes)));
            _pages = new PagePool((cacheTokens + layout.Cache.Page - 1) / layout.Cache.Page, layout.Cache.Page);
            _cache = Own(device.Allocate(layout.Cache.Layers * LayerCacheBytes));
            var rows = Math.Max(layout.LogitRows, layout.DecodeSequences);
            _logits = Own(device.Allocate((long)rows * layout.Vocabulary * sizeof(float)));
            _sampled = Own(device.Allocate(rows * sizeof(int)));
            if (layout.Mtp is { } mtp) _drafts = Own(new DraftBuffers(device, layout, mtp, rows));
            _rope = Own(new RopeTables(device, Stream, layout.Rope));
            var pages = (layout.Context + layout.Cache.Page - 1) / layout.Cache.Page;
            var numbers = Math.Max(3L * layout.PrefillTokens + pages, (5L + pages) * layout.DecodeSequences) + rows;
            _upload = Own(new StepUpload(device, 8, numbers));
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>What the compiler decided: sizes, limits, where weights lie.</summary>
    public ModelLayout Layout { get; }

    /// <summary>Where it runs.</summary>
    public IDevice Device { get; }

    /// <summary>A matrix in device memory as an argument of kernels that copy tiles of it.</summary>
    /// <param name="groups">Of such matrices one behind the other, as the map's third dimension; 0 for a map of two.</param>
    protected KernelArgument Tiles(ulong address, TensorMapElement element, int rows, int columns, int boxRows, int boxColumns, int groups = 0) =>
        _maps.Of(new TileMaps.Matrix(address, element, rows, columns, boxRows, boxColumns, groups));

    /// <summary>Tokens that end a text, as the checkpoint says.</summary>
    public IReadOnlyList<int> EosTokens { get; private set; } = [];

    /// <summary>Pages of the cache, free and taken.</summary>
    public PagePool Pages => _pages;

    /// <summary>Rows of logits that the last step left on the device.</summary>
    public int LogitRows { get; private set; }

    /// <summary>Intermediate tensors of the last step; none unless the plan was made to keep them.</summary>
    public IReadOnlyList<Tap> Taps { get; private set; } = [];

    /// <summary>All launches go here.</summary>
    protected IStream Stream { get; }

    /// <summary>Address of the weights.</summary>
    protected ulong Weights => _weights.Address;

    /// <summary>Address of what lives for one step only.</summary>
    protected ulong Workspace => _workspace.Address;

    /// <summary>Address of cos, f32 [positions, rope / 2].</summary>
    protected ulong Cos => _rope.Cos;

    /// <summary>Address of sin, f32 [positions, rope / 2].</summary>
    protected ulong Sin => _rope.Sin;

    private long LayerCacheBytes => (long)_pages.Pages * _pages.TokensPerPage * Layout.Cache.RowBytes;

    /// <summary>Starts a sequence. Dispose of it to give its pages of the cache to others.</summary>
    public Session CreateSession() => new(_pages);

    /// <summary>Copies rows of the last step's logits to the host, f32 [rows, vocabulary].</summary>
    /// <param name="destination">As many floats as the rows have that are wanted.</param>
    /// <param name="firstRow">Counted from the first of <see cref="LogitRows"/>.</param>
    /// <exception cref="ModelException">The last step left fewer rows.</exception>
    public void ReadLogits(Span<float> destination, int firstRow = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (firstRow + destination.Length / Layout.Vocabulary > LogitRows)
            throw new ModelException(
                $"The last step left {LogitRows} rows of logits, not {firstRow + destination.Length / Layout.Vocabulary}.");
        Stream.Download(LogitAddress(firstRow), MemoryMarshal.AsBytes(destination));
    }

    /// <summary>Copies an intermediate tensor of the last step to the host.</summary>
    public void ReadTap(Tap tap, Span<byte> destination) => Stream.Download(tap.Address, destination[..checked((int)tap.Bytes)]);

    /// <summary>Gives all device memory back. Sessions of the model are of no use afterwards.</summary>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Fills the weights from a checkpoint. Constructors end so: where it fails, the device memory is given back.</summary>
    /// <exception cref="CheckpointException">Checkpoint and model do not fit; one message names every tensor at fault.</exception>
    protected void LoadWeights(Checkpoint checkpoint, IProgress<LoadProgress>? progress)
    {
        try
        {
            WeightLoader.Load(checkpoint, Layout.Weights, Layout.IgnoredPrefixes, Stream, Weights, progress);
        }
        catch
        {
            Release();
            throw;
        }
        EosTokens = checkpoint.Config.EosTokenIds;
    }

    /// <summary>A kernel by its name.</summary>
    protected IKernel Kernel(string name) => _kernels[name];

    /// <summary>Address of a layer's cache, [pages * page, row].</summary>
    protected ulong Cache(int layer) => _cache.Address + (ulong)(layer * LayerCacheBytes);

    /// <summary>Launches a prefill step: new tokens of one sequence.</summary>
    protected abstract void PlayPrefill(in Step step);

    /// <summary>Launches a decode step: one new token of each of several sequences.</summary>
    protected abstract void PlayDecode(in Step step);

    /// <summary>Launches the choice of the best token of each row.</summary>
    protected abstract void PlayGreedy(in Step step);

    /// <summary>Launches the draw of a token of each row from its nucleus.</summary>
    protected abstract void PlayNucleus(in Step step);

    /// <summary>Launches the MTP module behind a prefill step.</summary>
    protected virtual void PlayMtpPrefill(in Step step) => throw NoDrafts();

    /// <summary>Launches the MTP module behind a decode step.</summary>
    protected virtual void PlayMtpDecode(in Step step) => throw NoDrafts();

    /// <summary>Intermediate tensors that a prefill step leaves.</summary>
    protected virtual IReadOnlyList<Tap> PrefillTaps(in Step step) => [];

    /// <summary>Intermediate tensors that a decode step leaves.</summary>
    protected virtual IReadOnlyList<Tap> DecodeTaps(in Step step) => [];

    /// <summary>Intermediate tensors that the MTP module leaves behind a prefill step.</summary>
    protected virtual IReadOnlyList<Tap> MtpPrefillTaps(in Step step) => [];

    /// <summary>Intermediate tensors that the MTP module leaves behind a decode step.</summary>
    protected virtual IReadOnlyList<Tap> MtpDecodeTaps(in Step step) => [];

    private ulong LogitAddress(int row) => _logits.Address + (ulong)((long)row * Layout.Vocabulary * sizeof(float));

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    private void Release()
    {
        if (_disposed) return;
        _disposed = true;
        for (var i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
    }
}
