using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Hopper;

/// <summary><c>cp.async.bulk.tensor</c>: what arrives in shared memory, and what goes back, compared with loops over coordinates.</summary>
public sealed class TensorCopyTests : IDisposable
{
    private readonly TestGpu _gpu = new();

    public void Dispose() => _gpu.Dispose();

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(32, 16, 5)]
    [InlineData(64, 0, 0)]
    [InlineData(128, 32, 7)]
    [InlineData(128, -16, -3)]
    [InlineData(128, 208, 45)]
    [InlineData(64, 300, 0)]
    [InlineData(0, 5, -60)]
    public void LoadsATileOfAMatrixAndFillsWithZerosWhatIsOutside(int swizzle, int column, int row)
    {
        const int Rows = 50, Columns = 240, BoxRows = 16;
        int boxColumns = swizzle == 0 ? 48 : swizzle;
        byte[] matrix = [.. Enumerable.Range(0, Rows * Columns).Select(i => (byte)(i * 7 + i / Columns + 1))];
        using DeviceMemory memory = _gpu.Upload<byte>(matrix);
        TensorMapSwizzle pattern = swizzle switch { 32 => TensorMapSwizzle.Bytes32, 64 => TensorMapSwizzle.Bytes64, 128 => TensorMapSwizzle.Bytes128, _ => TensorMapSwizzle.None };
        var map = TensorMap.Matrix(memory.Address, TensorMapElement.U8, Rows, Columns, BoxRows, boxColumns, pattern);
        byte[] tile = Load(map, [column, row], BoxRows * boxColumns);
        var place = new SharedTile(BoxRows, boxColumns, swizzle, false, 0);
        for (int y = 0; y < BoxRows; y++)
        {
            for (int x = 0; x < boxColumns; x++)
            {
                bool isInside = row + y is >= 0 and < Rows && column + x is >= 0 and < Columns;
                byte expected = isInside ? matrix[(row + y) * Columns + column + x] : (byte)0;
                Assert.Equal(expected, tile[swizzle == 0 ? y * boxColumns + x : place.Offset(y, x)]);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void LoadsTilesOfAnyRank(int rank)
    {
        int[] sizes = [.. new[] { 12, 5, 4, 3, 6 }.Take(rank)], box = [.. new[] { 8, 3, 2, 2, 3 }.Take(rank)], at = [.. new[] { 3, 3, -1, 1, 2 }.Take(rank)];
        // Rows are padded to 16 bytes: a stride that is not the product of sizes.
        long[] strides = new long[rank];
        (strides[0], long next) = (4, 64);
        for (int n = 1; n < rank; n++) (strides[n], next) = (next, next * sizes[n]);
        var values = new uint[next / 4];
        for (int i = 0; i < values.Length; i++) values[i] = (uint)i * 2654435761u | 1;
        using DeviceMemory memory = _gpu.Upload<uint>(values);
        var map = new TensorMap(memory.Address, TensorMapElement.U32, [.. sizes.Select(s => (long)s)], strides[1..], box);
        int count = box.Aggregate(1, (product, size) => product * size);
        byte[] tile = Load(map, at, count * 4);
        for (int i = 0; i < count; i++)
        {
            long offset = 0;
            bool isInside = true;
            for (int n = 0, rest = i; n < rank; rest /= box[n++])
            {
                int coordinate = at[n] + rest % box[n];
                isInside &= coordinate >= 0 && coordinate < sizes[n];
                offset += coordinate * strides[n];
            }
            Assert.Equal(isInside ? values[offset / 4] : 0, BitConverter.ToUInt32(tile, 4 * i));
        }
    }

    [Fact]
    public void TakesEverySoManiethElement()
    {
        ushort[] matrix = [.. Enumerable.Range(0, 40 * 32).Select(i => (ushort)i)];
        using DeviceMemory memory = _gpu.Upload<ushort>(matrix);
        var map = new TensorMap(memory.Address, TensorMapElement.U16, [32, 40], [64], [16, 9]) { Steps = [2, 3] };
        byte[] tile = Load(map, [20, 33], 8 * 3 * 2);
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < 8; x++)
                Assert.Equal(33 + 3 * y < 40 && 20 + 2 * x < 32 ? matrix[(33 + 3 * y) * 32 + 20 + 2 * x] : 0, BitConverter.ToUInt16(tile, 2 * (8 * y + x)));
    }

    [Fact]
    public void FillsWithNaNWhereTheMapSaysSo()
    {
        using DeviceMemory memory = _gpu.Upload<float>(Enumerable.Repeat(1f, 8 * 8).ToArray());
        var map = TensorMap.Matrix(memory.Address, TensorMapElement.F32, 8, 8, 4, 8) with { FillsWithNaN = true };
        byte[] tile = Load(map, [4, 6], 4 * 8 * 4);
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 8; x++) Assert.Equal(y < 2 && x < 4 ? 1f : float.NaN, BitConverter.ToSingle(tile, 4 * (8 * y + x)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(128)]
    public void StoresATileAndLeavesWhatIsOutside(int swizzle)
    {
        const int Rows = 20, Columns = 72, BoxRows = 16, BoxColumns = 64;
        ushort[] tile = [.. Enumerable.Range(0, BoxRows * BoxColumns).Select(i => (ushort)(i + 1))];
        var image = new byte[tile.Length * 2];
        var place = new SharedTile(BoxRows, BoxColumns * 2, swizzle, false, 0);
        for (int y = 0; y < BoxRows; y++)
        {
            for (int x = 0; x < BoxColumns; x++)
            {
                int at = swizzle == 0 ? 2 * (y * BoxColumns + x) : place.Offset(y, 2 * x);
                BitConverter.TryWriteBytes(image.AsSpan(at), tile[y * BoxColumns + x]);
            }
        }
        using DeviceMemory memory = _gpu.Upload<ushort>(new ushort[Rows * Columns]);
        var map = TensorMap.Matrix(memory.Address, TensorMapElement.BF16, Rows, Columns, BoxRows, BoxColumns, swizzle == 0 ? TensorMapSwizzle.None : TensorMapSwizzle.Bytes128);
        Store(map, [24, 7], image, "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group");
        ushort[] actual = _gpu.Download<ushort>(memory);
        for (int y = 0; y < Rows; y++)
            for (int x = 0; x < Columns; x++) Assert.Equal(y >= 7 && x >= 24 ? tile[(y - 7) * BoxColumns + x - 24] : 0, actual[y * Columns + x]);
    }

    [Fact]
    public void AddsATileOfSingles()
    {
        float[] old = [.. Enumerable.Range(0, 8 * 8).Select(i => i / 4f)];
        using DeviceMemory memory = _gpu.Upload<float>(old);
        float[] tile = [.. Enumerable.Range(0, 4 * 8).Select(i => 100f * i)];
        Store(TensorMap.Matrix(memory.Address, TensorMapElement.F32, 8, 8, 4, 8), [0, 6], [.. tile.SelectMany(BitConverter.GetBytes)], "cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group");
        float[] actual = _gpu.Download<float>(memory);
        for (int i = 0; i < old.Length; i++) Assert.Equal(i < 48 ? old[i] : old[i] + tile[i - 48], actual[i]);
    }

    [Theory]
    [InlineData("min", -5, 3, -5)]
    [InlineData("max", -5, 3, 3)]
    [InlineData("add", -5, 3, -2)]
    [InlineData("and", 12, 10, 8)]
    [InlineData("or", 12, 10, 14)]
    [InlineData("xor", 12, 10, 6)]
    public void ReducesIntegers(string operation, int old, int tile, int expected)
    {
        using DeviceMemory memory = _gpu.Upload<int>(Enumerable.Repeat(old, 4).ToArray());
        var map = new TensorMap(memory.Address, TensorMapElement.S32, [4], [], [4]);
        Store(map, [0], [.. Enumerable.Repeat(tile, 4).SelectMany(BitConverter.GetBytes)], $"cp.reduce.async.bulk.tensor.1d.global.shared::cta.{operation}.bulk_group");
        Assert.Equal(Enumerable.Repeat(expected, 4), _gpu.Download<int>(memory));
    }

    [Fact]
    public void AddsBrainFloatsRoundedToNearest()
    {
        // 1 + 2^-8 lies between two neighbours and goes to the even one; 1 + 3 * 2^-8 goes up.
        using DeviceMemory memory = _gpu.Upload<ushort>(Enumerable.Repeat((ushort)0x3F80, 8).ToArray());
        byte[] tile = [.. new float[] { 0, 0.00390625f, 0.01171875f, 2, -1, 0.5f, 256, 0 }.SelectMany(x => BitConverter.GetBytes(x)[2..])];
        Store(new TensorMap(memory.Address, TensorMapElement.BF16, [8], [], [8]), [0], tile, "cp.reduce.async.bulk.tensor.1d.global.shared::cta.add.bulk_group");
        Assert.Equal(new ushort[] { 0x3F80, 0x3F80, 0x3F82, 0x4040, 0, 0x3FC0, 0x4380, 0x3F80 }, _gpu.Download<ushort>(memory));
    }

    [Fact]
    public void SomethingElseThanAMapIsAFault()
    {
        IKernel kernel = _gpu.Load(LoadProgram(2, 64));
        using DeviceMemory to = _gpu.Upload<byte>(new byte[64]);
        var fault = Assert.Throws<DeviceException>(() => _gpu.Launch(kernel, 1, 32, 256, KernelArgument.OfBytes(new byte[TensorMap.Bytes]), to, 0, 0, 0, 0, 0, 0));
        Assert.Contains("this is no tensor map", fault.Message);
    }

    [Fact]
    public void ATileNotWhereTheHardwareWantsItIsAFault()
    {
        using DeviceMemory memory = _gpu.Upload<byte>(new byte[128 * 8]);
        var map = TensorMap.Matrix(memory.Address, TensorMapElement.U8, 8, 128, 8, 128, TensorMapSwizzle.Bytes128);
        var fault = Assert.Throws<DeviceException>(() => Load(map, [0, 0], 1024, at: 64));
        Assert.Contains("no multiple of 128", fault.Message);
    }

    [Fact]
    public void AMapLargerThanItsMemoryIsAFault()
    {
        using DeviceMemory memory = _gpu.Upload<byte>(new byte[128 * 8]);
        var fault = Assert.Throws<DeviceException>(() => Load(TensorMap.Matrix(memory.Address, TensorMapElement.U8, 9, 128, 9, 128), [0, 0], 9 * 128));
        Assert.Contains("out of bounds", fault.Message);
    }

    [Theory]
    [InlineData(1, 128, 16, 128, "address")]
    [InlineData(0, 120, 16, 64, "stride")]
    [InlineData(0, 128, 16, 12, "no multiple of 16")]
    [InlineData(0, 128, 257, 128, "257")]
    [InlineData(0, 256, 16, 256, "the swizzle takes 128")]
    public void AMapThatTheHardwareDoesNotHaveIsRefusedWithAReason(int offset, int columns, int boxRows, int boxColumns, string expected)
    {
        using DeviceMemory memory = _gpu.Upload<byte>(new byte[1 << 16]);
        var map = TensorMap.Matrix(memory.Address + (ulong)offset, TensorMapElement.U8, 64, columns, boxRows, boxColumns, TensorMapSwizzle.Bytes128);
        Assert.Contains(expected, Assert.Throws<DeviceException>(() => _gpu.Device.Encode(map)).Message);
    }

    /// <summary>Loads a tile to shared memory by one thread, waits for the bytes to come, and copies shared memory to global byte by byte.</summary>
    private byte[] Load(TensorMap map, int[] coordinates, int bytes, int at = 0)
    {
        IKernel kernel = _gpu.Load(LoadProgram(map.Sizes.Count, bytes));
        using DeviceMemory to = _gpu.Upload<byte>(new byte[bytes]);
        int[] five = [.. coordinates, .. new int[5 - coordinates.Length]];
        _gpu.Launch(kernel, 1, 32, bytes + 256, _gpu.Device.Encode(map), to, five[0], five[1], five[2], five[3], five[4], at);
        return _gpu.Download<byte>(to);
    }

    private static string LoadProgram(int rank, int bytes) => Frame("""
        mov.u32 %r20, s; ld.param.u32 %r21, [shift]; add.u32 %r20, %r20, %r21;
        mov.u32 %r22, bar; mov.u32 %r1, %tid.x; setp.ne.u32 %p1, %r1, 0; @%p1 bra WAIT;
        mbarrier.init.shared::cta.b64 [%r22], 1; fence.mbarrier_init.release.cluster;
        mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r22], BYTES;
        cp.async.bulk.tensor.RANKd.shared::cluster.global.mbarrier::complete_tx::bytes [%r20], [%d2, {COORDINATES}], [%r22];
        WAIT: bar.warp.sync -1;
        AGAIN: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r22], 0; @!%p2 bra AGAIN;
        NEXT: setp.ge.u32 %p3, %r1, BYTES; @%p3 bra DONE;
        add.u32 %r23, %r20, %r1; ld.shared.u8 %r24, [%r23]; cvt.u64.u32 %d3, %r1; add.s64 %d3, %d3, %d1; st.global.u8 [%d3], %r24;
        add.u32 %r1, %r1, 32; bra NEXT;
        DONE:
        """, rank).Replace("BYTES", bytes.ToString());

    /// <summary>Copies bytes to shared memory and stores them as a tile.</summary>
    private void Store(TensorMap map, int[] coordinates, byte[] image, string instruction)
    {
        IKernel kernel = _gpu.Load(Frame($$"""
            mov.u32 %r20, s; mov.u32 %r1, %tid.x;
            NEXT: setp.ge.u32 %p3, %r1, {{image.Length}}; @%p3 bra FILLED;
            cvt.u64.u32 %d3, %r1; add.s64 %d3, %d3, %d1; ld.global.u8 %r24, [%d3]; add.u32 %r23, %r20, %r1; st.shared.u8 [%r23], %r24;
            add.u32 %r1, %r1, 32; bra NEXT;
            FILLED: fence.proxy.async.shared::cta; bar.warp.sync -1; mov.u32 %r1, %tid.x; setp.ne.u32 %p1, %r1, 0; @%p1 bra DONE;
            {{instruction}} [%d2, {COORDINATES}], [%r20];
            cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;
            DONE:
            """, map.Sizes.Count));
        using DeviceMemory from = _gpu.Upload<byte>(image);
        int[] five = [.. coordinates, .. new int[5 - coordinates.Length]];
        _gpu.Launch(kernel, 1, 32, image.Length, _gpu.Device.Encode(map), from, five[0], five[1], five[2], five[3], five[4], 0);
    }

    /// <summary>A map by value, a pointer, five coordinates and a shift; the map's address is in <c>%d2</c>, the pointer in <c>%d1</c>.</summary>
    private static string Frame(string body, int rank)
    {
        string coordinates = string.Join(", ", Enumerable.Range(10, rank).Select(i => $"%r{i}"));
        var loads = new StringBuilder();
        for (int n = 0; n < 5; n++) loads.Append($"ld.param.u32 %r{10 + n}, [c{n}]; ");
        return $$"""
            .version 8.4
            .target sm_90a
            .address_size 64
            .extern .shared .align 1024 .b8 s[];
            .visible .entry k(.param .align 64 .b8 map[128], .param .u64 p, .param .u32 c0, .param .u32 c1, .param .u32 c2, .param .u32 c3, .param .u32 c4, .param .u32 shift)
            {
            .reg .pred %p<8>; .reg .b32 %r<40>; .reg .b64 %d<8>;
            .shared .align 8 .b64 bar;
            ld.param.u64 %d1, [p]; mov.b64 %d2, map; cvta.param.u64 %d2, %d2; prefetch.tensormap [%d2]; {{loads}}
            {{body.Replace("RANK", rank.ToString()).Replace("COORDINATES", coordinates)}}
            ret;
            }
            """;
    }
}
