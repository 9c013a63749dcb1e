using System.Text.RegularExpressions;
using ModelDsl.Testing;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Cuda;

/// <summary>The PTX files here are what nvcc makes of the CUDA files beside them.</summary>
public sealed partial class FixtureTests
{
    private const string Compiler = "release 12.4, V12.4.131";

    public static TheoryData<string> Files => [.. Directory.GetFiles(CudaProgram.PathTo(""), "*.ptx").Select(file => Path.GetFileNameWithoutExtension(file)).Order()];

    [Theory]
    [MemberData(nameof(Files))]
    public void Comes_from_a_source_and_that_compiler(string name)
    {
        Assert.True(File.Exists(CudaProgram.PathTo(name.Split('.')[0] + ".cu")));
        Assert.Contains(Compiler, File.ReadAllText(CudaProgram.PathTo(name + ".ptx")));
    }

    [NvccTheory]
    [MemberData(nameof(Files))]
    public void Is_what_nvcc_makes_of_the_source(string name)
    {
        // NAME.O0.ptx is the same source without optimisation, NAME.sm_90.ptx for another GPU.
        string[] parts = name.Split('.');
        string[] options = parts.Length == 1 ? ["-arch=sm_80"] : parts[1] == "O0" ? ["-arch=sm_80", "-Xcicc", "-O0"] : [$"-arch={parts[1]}"];
        string made = Nvcc.Compile(CudaProgram.PathTo(parts[0] + ".cu"), options);
        if (!made.Contains(Compiler)) return;
        Assert.Equal(Plain(File.ReadAllText(CudaProgram.PathTo(name + ".ptx"))), Plain(made));
    }

    /// <summary>Names of things with internal linkage carry a number that changes from run to run.</summary>
    private static string Plain(string ptx) => Internal().Replace(ptx, "_INTERNAL_");

    [GeneratedRegex(@"_INTERNAL_[0-9a-f]{8}_\d+_\w+?_cu_[0-9a-f]{8}|__nv_static_\d+__[0-9a-f]{8}_\d+_\w+?_cu_[0-9a-f]{8}")]
    private static partial Regex Internal();
}
