using System.Runtime.InteropServices;
using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests;

/// <summary>Runs small PTX programs: a device, its buffers, and the frame every program has.</summary>
internal sealed class TestGpu : IDisposable
{
    private readonly VirtualDevice _device;
    private readonly IStream _stream;

    public TestGpu(int workers = 1, VirtualGpuChecks checks = VirtualGpuChecks.None, int fp8SumBits = 0)
    {
        _device = new VirtualDevice(new VirtualDeviceOptions { Workers = workers, Checks = checks, Fp8SumBits = fp8SumBits });
        _stream = _device.CreateStream();
    }

    public VirtualDevice Device => _device;

    public IStream Stream => _stream;

    /// <summary>A module with one entry <c>k</c> whose parameters are 64-bit pointers <c>p0</c>, <c>p1</c>, …</summary>
    public static string Program(int pointers, string body, string moduleScope = "", string registers = "")
    {
        var text = new StringBuilder(".version 8.4\n.target sm_90a\n.address_size 64\n");
        text.Append(moduleScope).Append("\n.visible .entry k(");
        text.AppendJoin(", ", Enumerable.Range(0, pointers).Select(i => $".param .u64 p{i}"));
        text.Append(")\n{\n.reg .pred %p<20>;\n.reg .b16 %h<40>;\n.reg .b32 %r<100>;\n.reg .b64 %d<60>;\n.reg .f32 %f<60>;\n.reg .f64 %g<20>;\n");
        text.Append(registers).Append('\n').Append(body).Append("\nret;\n}\n");
        return text.ToString();
    }

    public IKernel Load(string ptx, string name = "k") => _device.LoadModule(Encoding.UTF8.GetBytes(ptx)).GetKernel(name);

    public DeviceMemory Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        DeviceMemory memory = _device.Allocate(Math.Max(1, bytes.Length));
        _stream.Upload(bytes, memory.Address);
        return memory;
    }

    public T[] Download<T>(DeviceMemory memory)
        where T : unmanaged
    {
        var values = new T[memory.Bytes / Marshal.SizeOf<T>()];
        _stream.Download(memory.Address, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    public void Launch(IKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params KernelArgument[] arguments)
    {
        _stream.Launch(kernel, grid, block, sharedBytes, arguments);
        _stream.Synchronize();
    }

    /// <summary>
    /// Runs <paramref name="body"/> once per element: sources are in registers by position (see <paramref name="load"/>), and
    /// what it leaves in the result register is stored. <c>%d50</c> is the byte offset of a four-byte element, <c>%d51</c> of an eight-byte one.
    /// </summary>
    public TOut[] Map<TIn, TOut>(TIn[] a, TIn[]? b, TIn[]? c, string load, string body, string store)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        int n = a.Length;
        string Address(string p, int size) => $"ld.param.u64 %d58, [{p}]; mul.wide.u32 %d57, %r99, {size}; add.s64 %d58, %d58, %d57;\n";
        int inSize = Marshal.SizeOf<TIn>(), outSize = Marshal.SizeOf<TOut>();
        var text = new StringBuilder("mov.u32 %r98, %ctaid.x; mov.u32 %r97, %ntid.x; mov.u32 %r96, %tid.x; mad.lo.u32 %r99, %r98, %r97, %r96;\n");
        text.Append($"setp.ge.u32 %p19, %r99, {n}; @%p19 bra DONE;\n");
        string[] loads = load.Split(';');
        text.Append(Address("p0", inSize)).Append(loads[0].Replace("@", "[%d58]")).Append(";\n");
        if (b != null) text.Append(Address("p1", inSize)).Append(loads[1].Replace("@", "[%d58]")).Append(";\n");
        if (c != null) text.Append(Address("p2", inSize)).Append(loads[2].Replace("@", "[%d58]")).Append(";\n");
        text.Append(body).Append('\n').Append(Address("p3", outSize)).Append(store.Replace("@", "[%d58]")).Append(";\nDONE:\n");
        IKernel kernel = Load(Program(4, text.ToString()));
        using DeviceMemory da = Upload<TIn>(a), db = Upload<TIn>(b ?? a), dc = Upload<TIn>(c ?? a), result = _device.Allocate(n * outSize);
        Launch(kernel, (n + 127) / 128, 128, 0, da, db, dc, result);
        return Download<TOut>(result);
    }

    /// <summary>32-bit integers in <c>%r1</c>, <c>%r2</c>, <c>%r3</c>; result in <c>%r4</c>.</summary>
    public uint[] Map32(uint[] a, uint[]? b, uint[]? c, string body) =>
        Map<uint, uint>(a, b, c, "ld.global.u32 %r1, @;ld.global.u32 %r2, @;ld.global.u32 %r3, @", body, "st.global.u32 @, %r4");

    /// <summary>Singles in <c>%f1</c>, <c>%f2</c>, <c>%f3</c>; result in <c>%f4</c>.</summary>
    public float[] MapF32(float[] a, float[]? b, float[]? c, string body) =>
        Map<float, float>(a, b, c, "ld.global.f32 %f1, @;ld.global.f32 %f2, @;ld.global.f32 %f3, @", body, "st.global.f32 @, %f4");

    /// <summary>64-bit values in <c>%d1</c>, <c>%d2</c>, <c>%d3</c>; result in <c>%d4</c>.</summary>
    public ulong[] Map64(ulong[] a, ulong[]? b, ulong[]? c, string body) =>
        Map<ulong, ulong>(a, b, c, "ld.global.u64 %d1, @;ld.global.u64 %d2, @;ld.global.u64 %d3, @", body, "st.global.u64 @, %d4");

    public void Dispose() => _device.Dispose();
}
