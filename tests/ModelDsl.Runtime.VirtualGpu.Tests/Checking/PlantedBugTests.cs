using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Tests.Checking;

/// <summary>
/// Kernels with a mistake, and the same kernels without it. Each file of <c>Planted</c> is both: lines marked <c>//!bug</c> are in the first,
/// lines marked <c>//!fix</c> in the second. The first line says what is to be found and how to launch; <c>//@at</c> and <c>//@other</c> mark the lines
/// that the finding has to name.
/// </summary>
public sealed class PlantedBugTests
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Checking", "Planted");

    public static TheoryData<string> Names => new(Directory.GetFiles(Folder, "*.ptx").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_mistake_is_found_and_named(string name)
    {
        var planted = new Planted(Path.Combine(Folder, name + ".ptx"), isFixed: false);
        IReadOnlyList<Finding> findings = planted.Run(VirtualGpuChecks.All);
        string said = string.Join("\n", findings);
        Assert.All(findings, finding => Assert.True(Finding.NameOf(finding.Kind) == planted.Kind, said));
        Assert.True(findings.Any(planted.Matches), $"lines {planted.At} and {planted.Other} are not named: {said}");
        Assert.Equal(findings.Count, findings.Select(finding => (finding.Kind, finding.At, finding.Other)).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Without_the_mistake_nothing_is_found(string name)
    {
        var planted = new Planted(Path.Combine(Folder, name + ".ptx"), isFixed: true);
        Assert.Equal("", string.Join("\n", planted.Run(VirtualGpuChecks.All)));
        Assert.Empty(planted.Run(VirtualGpuChecks.Memory));
        Assert.Empty(planted.Run(VirtualGpuChecks.Race));
    }

    [Fact]
    public void There_are_many_of_them_of_every_kind()
    {
        string[] kinds = Directory.GetFiles(Folder, "*.ptx").Select(path => new Planted(path, isFixed: false).Kind).ToArray();
        Assert.InRange(kinds.Length, 24, int.MaxValue);
        // What has no file is a fault that happens without checks, too, and has its test there.
        string[] elsewhere = ["trap", "invalid-operand"];
        Assert.Equal(Enum.GetValues<FindingKind>().Select(Finding.NameOf).Except(elsewhere).Order(), kinds.Distinct().Order());
    }

    /// <summary>One file, as the mistake or without it.</summary>
    private sealed class Planted
    {
        private readonly Dictionary<string, string> _settings = [];
        private readonly string _ptx;

        public Planted(string path, bool isFixed)
        {
            string[] lines = File.ReadAllLines(path);
            string[] header = lines[0][3..].Split(';', 2, StringSplitOptions.TrimEntries);
            Kind = header[0];
            foreach (Match setting in Regex.Matches(header.Length > 1 ? header[1] : "", "(grid|block|shared|buffers|scope) (.*?)(; (?=grid|block|shared|buffers|scope)|$)")) _settings[setting.Groups[1].Value] = setting.Groups[2].Value.TrimEnd(';');
            string dropped = isFixed ? "//!bug" : "//!fix";
            string body = string.Join('\n', lines.Where(line => !line.Contains(dropped)));
            string scope = _settings.GetValueOrDefault("scope", "");
            _ptx = TestGpu.Program(Buffers.Length, body, scope.Length == 0 ? "" : scope + ";");
            string[] text = _ptx.Split('\n');
            At = Array.FindIndex(text, line => line.Contains("//@at")) + 1;
            Other = Array.FindIndex(text, line => line.Contains("//@other")) + 1;
        }

        public string Kind { get; }

        public int At { get; }

        /// <summary>Zero where there is none to name.</summary>
        public int Other { get; }

        private string[] Buffers => _settings.GetValueOrDefault("buffers", "").Split(' ', StringSplitOptions.RemoveEmptyEntries);

        public bool Matches(Finding finding)
        {
            var (at, other) = (finding.At.Line, finding.Other?.Line ?? 0);
            return (at == At && (Other == 0 || other == Other)) || (Kind == "race" && (at, other) == (Other, At));
        }

        public IReadOnlyList<Finding> Run(VirtualGpuChecks checks)
        {
            using var device = new VirtualDevice(new VirtualDeviceOptions { Workers = 2, Checks = checks });
            IKernel kernel = device.LoadModule(Encoding.UTF8.GetBytes(_ptx)).GetKernel("k");
            IStream stream = device.CreateStream();
            DeviceMemory[] buffers = Buffers.Select(text => Allocate(device, stream, text)).ToArray();
            try
            {
                stream.Launch(kernel, Number("grid", 1), Number("block", 1), Number("shared", 0), buffers.Select(memory => (KernelArgument)memory).ToArray());
            }
            catch (DeviceException fault)
            {
                Assert.NotEmpty(device.Findings);
                Assert.Contains("kernel 'k'", fault.Message);
            }
            return device.Findings;
        }

        private int Number(string setting, int otherwise) => _settings.TryGetValue(setting, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

        private static DeviceMemory Allocate(VirtualDevice device, IStream stream, string text)
        {
            int bytes = int.Parse(text.Split(':')[^1], CultureInfo.InvariantCulture);
            DeviceMemory memory = device.Allocate(bytes);
            if (!text.StartsWith("raw:", StringComparison.Ordinal)) stream.Fill(memory.Address, 0, bytes);
            if (text.StartsWith("freed:", StringComparison.Ordinal)) memory.Dispose();
            return memory;
        }
    }
}
