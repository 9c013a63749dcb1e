using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>Softmax and layer norm, over rows of awkward lengths.</summary>
public sealed class NormTests : IDisposable
{
    private readonly CudaProgram _program = new("norms");

    public void Dispose() => _program.Dispose();

    [Theory]
    [InlineData(3, 100, 128)]
    [InlineData(2, 1000, 256)]
    [InlineData(4, 7, 32)]
    public void Softmax(int rows, int columns, int threads)
    {
        float[] x = [.. Sample.Floats(rows * columns, columns).Select(v => 20 * v)];
        using DeviceMemory input = _program.Upload(x), output = _program.Zeros<float>(x.Length);
        _program.RunShared("softmax", rows, threads, 4 * threads, input, output, columns);
        Sample.Close(x.Chunk(columns).SelectMany(row =>
        {
            double high = row.Max(), sum = row.Sum(v => Math.Exp(v - high));
            return row.Select(v => Math.Exp(v - high) / sum);
        }), _program.Read<float>(output), 1e-6);
    }

    [Theory]
    [InlineData(96)]
    [InlineData(77)]
    public void Layer_norm(int columns)
    {
        const int Rows = 8;
        float[] x = [.. Sample.Floats(Rows * columns, 3).Select(v => 5 + v)], gain = Sample.Floats(columns, 4), bias = Sample.Floats(columns, 5);
        using DeviceMemory input = _program.Upload(x), g = _program.Upload(gain), b = _program.Upload(bias), output = _program.Zeros<float>(x.Length);
        _program.Run("layer_norm", 2, new Dim3(32, 4), input, g, b, output, columns, 1e-5f);
        Sample.Close(x.Chunk(columns).SelectMany(row =>
        {
            double mean = row.Average(v => (double)v), variance = row.Average(v => (v - mean) * (v - mean));
            return row.Select((v, i) => (v - mean) / Math.Sqrt(variance + 1e-5) * gain[i] + bias[i]);
        }), _program.Read<float>(output), 1e-4);
    }
}
