using System.Text;
using ModelDsl.Compiler;
using ModelDsl.Compiler.Binding;
using ModelDsl.Compiler.Specs;
using ModelDsl.Compiler.Syntax;
using ModelDsl.Fuzz.Inputs;
using ModelDsl.Ptx.Targets;
using ModelDsl.Runtime.Devices;
using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Fuzz.Kinds;

/// <summary>PTX: what loads is run on a few threads, with pointers to small buffers; it ends, or the device says what is wrong.</summary>
internal sealed class PtxKind : FuzzKind
{
    private static readonly int[] Threads = [32, 64, 128, 32, 1, 33, 96, 256];
    private const int Branches = 1 << 14, BufferBytes = 4096;

    private static readonly string[] Dictionary =
    [
        "{", "}", "[", "]", "(", ")", ",", ";", ":", "|", "@", "!", "-", "+", "<", ">", "%", "_", ".", "\"", "/*", "*/", "//", "add", "sub", "mul", "mad", "fma", "div", "rem", "ld", "st", "mov",
        "cvt", "setp", "selp", "bra", "ret", "exit", "call", "bar", "shfl", "mma", "ldmatrix", "cp", "atom", "red", "vote", "lop3", "prmt", "bfe", "shl", "shr", "min", "max", "rcp", "ex2", "param",
        "global", "shared", "local", "const", "u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "b8", "b16", "b32", "b64", "f16", "bf16", "f32", "f64", "f16x2", "pred", "e4m3x2", "tf32", "v2", "v4",
        "lo", "hi", "wide", "rn", "rz", "ftz", "sat", "approx", "sync", "aligned", "async", "func", "entry", "visible", "extern", "reg", "align", "maxntid", "tid", "ntid", "ctaid", "laneid", "r1", "r2",
        "d1", "f1", "p1", "L", "0f3F800000", "0d3FF0000000000000", "0x96", "0xffffffff", "2000000000", "1048576",
    ];

    private readonly TextDamage _damage = new(Dictionary);
    private readonly VirtualDevice _device = new(new VirtualDeviceOptions { Workers = 1, BranchBudget = Branches, MemoryBytes = 8L << 30 });
    private readonly DeviceMemory[] _buffers;
    private readonly IStream _stream;

    public PtxKind()
    {
        _stream = _device.CreateStream();
        _buffers = [.. Enumerable.Range(0, 4).Select(_ => _device.Allocate(BufferBytes))];
        Seeds = [.. HandWritten.Select(Encoding.UTF8.GetBytes), .. Emitted(), .. Fixtures()];
    }

    public override string Name => "ptx";

    public override IReadOnlyList<byte[]> Seeds { get; }

    public override byte[] Make(byte[] known, byte[] other, Random random) => random.Next(4) != 0 ? PtxDamage.Spoil(known, other, random) : _damage.Spoil(known, other, random);

    public override string Check(byte[] input)
    {
        try
        {
            using var module = _device.LoadModule(input);
            return string.Join(' ', Entries(input).Select(name => Run(module, name, input.Length)));
        }
        catch (DeviceException refused)
        {
            return Said(refused);
        }
    }

    public override void Dispose()
    {
        _stream.Dispose();
        _device.Dispose();
    }

    private string Run(IModule module, string name, int salt)
    {
        foreach (var buffer in _buffers) _stream.Fill(buffer.Address, (byte)(salt % 5 * 31), BufferBytes);
        // How many arguments there are, and how wide, is learnt from what the device says.
        var arguments = new List<KernelArgument>();
        Dim3 grid = new(1 + salt % 2, 1, 1), block = new(Threads[salt % Threads.Length], 1, 1);
        for (var attempts = 0; attempts < 40; attempts++)
        {
            try
            {
                _stream.Launch(module.GetKernel(name), grid, block, salt % 3 * 512, [.. arguments]);
                return "ran";
            }
            catch (DeviceException refused) when (refused.Message.Contains(" arguments, not ", StringComparison.Ordinal))
            {
                var wanted = int.Parse(refused.Message.Split(" takes ")[1].Split(' ')[0]);
                if (wanted > 64) return "many arguments";
                while (arguments.Count < wanted) arguments.Add(arguments.Count < _buffers.Length || salt % 2 == 0 ? _buffers[arguments.Count % _buffers.Length] : 5UL);
                while (arguments.Count > wanted) arguments.RemoveAt(arguments.Count - 1);
            }
            catch (DeviceException refused) when (refused.Message.Contains("': argument ", StringComparison.Ordinal))
            {
                var index = int.Parse(refused.Message.Split("': argument ")[1].Split(' ')[0]);
                if (arguments[index].Size == 4) return Said(refused);
                arguments[index] = 3;
            }
            catch (DeviceException refused) when (refused.Message.Contains(" requires blocks of (", StringComparison.Ordinal) && attempts < 30)
            {
                var wanted = refused.Message.Split('(', ')')[1].Split(", ").Select(int.Parse).ToArray();
                block = new Dim3(wanted[0], wanted[1], wanted[2]);
                attempts = Math.Max(attempts, 29);
            }
            catch (DeviceException refused)
            {
                if (refused.Message.Contains("inside the virtual GPU", StringComparison.Ordinal)) throw new ViolationException($"a mistake of the virtual GPU: {refused.Message}\n{refused.InnerException}");
                return Said(refused);
            }
        }

        return "no arguments fit";
    }

    private static string Said(DeviceException refused) => string.IsNullOrWhiteSpace(refused.Message)
        ? throw new ViolationException("an error without a message")
        : Gist(refused.Message.Split(": ", 2)[^1]);

    private static IEnumerable<string> Entries(byte[] input)
    {
        var words = Encoding.UTF8.GetString(input).Split([' ', '\n', '\t', '\r', '(', '{'], StringSplitOptions.RemoveEmptyEntries);
        return words.Zip(words.Skip(1)).Where(pair => pair.First == ".entry").Select(pair => pair.Second).Distinct().Take(3);
    }

    /// <summary>The smaller ones of the kernels of a small model, in three precisions.</summary>
    private static IEnumerable<byte[]> Emitted()
    {
        var path = Repository.PathTo("samples", "tiny-v3", "tiny-v3.dsm");
        var model = FrontEnd.Bind(SourceText.FromBytes(path, File.ReadAllBytes(path))).Models[0];
        foreach (var precision in new[] { "fp32", "bf16", "fp8" })
        {
            var plan = ModelCompiler.Compile(model, BuiltInPrecision.ByName(precision)!, new CompileOptions(PtxTarget.Sm90a, CompileDefaults.Limits(model, 64, 16))).Plan!;
            foreach (var kernel in plan.Kernels)
                if (Encoding.UTF8.GetBytes(kernel.Emit(plan.Target).ToText()) is { Length: < 24_000 } text) yield return text;
        }
    }

    /// <summary>Text of other compilers, where the tests keep some.</summary>
    private static IEnumerable<byte[]> Fixtures() =>
        Directory.EnumerateFiles(Repository.PathTo("tests"), "*.ptx", SearchOption.AllDirectories)
            .Where(path => !path.Contains("ModelDsl.Fuzz", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes).Where(text => text.Length < 24_000);

    private static string[] HandWritten { get; } =
    [
        """
        .version 8.4
        .target sm_90a
        .address_size 64
        .const .align 4 .f32 table[4] = {0f3F800000, 2.5, 3.0, -1.0};
        .global .align 8 .u64 pointer = table;
        .extern .shared .align 16 .b8 dynamic[];
        .func (.reg .u32 r) square(.reg .u32 x) { mul.lo.u32 r, x, x; ret; }
        .func (.param .b32 q) twice(.param .b32 y) { .reg .b32 %r<4>; ld.param.u32 %r1, [y]; call (%r2), square, (%r1); st.param.u32 [q], %r2; ret; }
        .visible .entry k(.param .u64 .ptr .global .align 16 out, .param .u32 n)
        .maxntid 128, 1, 1
        {
            .reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<20>; .reg .b64 %d<8>; .reg .f32 %f<12>;
            .shared .align 16 .b8 tile[1024]; // a comment
            .local .align 4 .b8 mine[64]; .param .b32 a; .param .b32 b;
            ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; /* another */ mov.u32 %r11, tile; mov.u32 %r4, 16; mov.f32 %f1, 0f3F800000;
            mul.wide.u32 %d2, %r1, 4; add.s64 %d3, %d1, %d2; setp.lt.u32 %p1, %r1, 100; st.local.u32 [mine+4], %r1; ld.local.u32 %r9, [mine+4];
            @!%p1 bra $L__BB0_2;
            mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
            ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r7, %r8, %r9, %r10}, [%r11];
            shfl.sync.bfly.b32 %r12|%p2, %r1, 1, 31, 0xffffffff;
            cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2; setp.lt.and.u32 %p1|%p3, %r1, 7, !%p2;
            mul.lo.u32 %r14, %r1, 16; add.u32 %r14, %r14, %r11;
            cp.async.cg.shared.global [%r11], [%d1], 16; cp.async.commit_group; cp.async.wait_group 0; atom.global.add.u32 %r5, [%d3], 1;
            st.param.b32 [a], %r1; call (b), twice, (a); ld.param.b32 %r15, [b]; bar.sync 0;
            call (%r13), square, (%r1); ld.const.f32 %f5, [table+4]; lop3.b32 %r1, %r2, %r3, %r4, 0x96; vote.sync.ballot.b32 %r2, %p1, 0xffffffff;
        $L__BB0_2:
            st.global.u32 [%d3], %r12;
            ret;
        }
        """,
        """
        .version 8.4
        .target sm_80
        .address_size 64
        .visible .entry sum(.param .u64 p, .param .u64 q, .param .u32 n)
        {
            .reg .pred %p<3>; .reg .b32 %r<10>; .reg .b64 %d<6>; .reg .f32 %f<4>; .reg .f64 %g<4>;
            ld.param.u64 %d1, [p]; ld.param.u64 %d2, [q]; ld.param.u32 %r1, [n]; mov.u32 %r2, 0; mov.f32 %f1, 0f00000000;
        L: mul.wide.u32 %d3, %r2, 4; add.s64 %d4, %d1, %d3; ld.global.f32 %f2, [%d4]; add.rn.f32 %f1, %f1, %f2; cvt.f64.f32 %g1, %f2; fma.rn.f64 %g2, %g1, %g1, %g1;
            add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, %r1; @%p1 bra L; div.rn.f32 %f3, %f1, %f1; sqrt.approx.f32 %f3, %f3; popc.b32 %r3, %r2; bfe.u32 %r4, %r2, 3, 5;
            st.global.f32 [%d2], %f1; red.global.add.f32 [%d2+4], %f1; membar.gl; exit;
        }
        """,
    ];
}
