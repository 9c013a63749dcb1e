using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels.Loss;
using ModelDsl.Kernels.Tests.Harness;
using ModelDsl.Runtime.VirtualGpu;

namespace ModelDsl.Kernels.Tests.Loss;

/// <summary>Loss, lse and gradient of logits against float64, with the vocabulary whole and in chunks, of which the last has columns that are no logits.</summary>
public class CrossEntropyTests
{
    private const float Weight = 0.25f, Gradient = 3f;
    private const double Factor = 0.3;

    /// <summary>Rows, vocabulary, columns of a chunk.</summary>
    public static TheoryData<int, int, int, DType> Shapes { get; } = new()
    {
        { 1, 1, 1, DType.F32 }, { 5, 7, 7, DType.BF16 }, { 33, 129, 129, DType.F32 }, { 5, 1000, 1000, DType.BF16 }, { 3, 32003, 8192, DType.F32 }, { 3, 9001, 2056, DType.BF16 }, { 600, 40, 16, DType.F32 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Loss_and_lse(int rows, int vocabulary, int chunk, DType io)
    {
        var problem = new Problem(rows, vocabulary, chunk, io);
        var (loss, lse) = problem.Forward();
        Close.To(problem.Lse, lse, DType.F32, 1e-6);
        Close.To([problem.Loss], [loss], DType.F32, 1e-5);
        var again = problem.Forward();
        Assert.Equal(loss, again.Loss);
        Assert.Equal(lse, again.Lse);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradient_of_logits(int rows, int vocabulary, int chunk, DType io)
    {
        var problem = new Problem(rows, vocabulary, chunk, io);
        foreach (var (output, inPlace) in new[] { (DType.F32, io == DType.F32), (DType.BF16, io == DType.BF16) })
        {
            var actual = problem.Backward(output, inPlace);
            Close.To(problem.Gradients, actual, output, 2e-7);
            if (output == DType.F32)
                for (var row = 0; row < rows; row++) Assert.InRange(Enumerable.Range(0, vocabulary).Sum(v => (double)actual[row * vocabulary + v]), -2e-6, 2e-6);
        }
    }

    [Fact]
    public void A_label_that_cannot_be_costs_infinitely_much()
    {
        using var run = new KernelRun(new CrossEntropyChunkKernel(4, 4, DType.F32)).Set("logits", [1, float.NegativeInfinity, 2, 3]).Set("labels", [1]).Output("state", 3).Number("first", 0).Number("tokens", 1).Launch(1);
        Assert.Equal(float.NegativeInfinity, run.Floats("state")[2]);
        using var loss = new KernelRun(new CrossEntropyLossKernel(4, 1)).Set("state", run.Floats("state")).Set("labels", [1]).Set("weight", [1f]).Output("loss", 1).Output("lse", 1).Number("tokens", 1).Launch(1);
        Assert.Equal(float.PositiveInfinity, loss.Floats("loss")[0]);
        Assert.Equal(Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3)), loss.Floats("lse")[0], 6);
    }

    [Fact]
    public void Checks_find_nothing()
    {
        var problem = new Problem(3, 700, 264, DType.BF16, VirtualGpuChecks.All);
        problem.Forward();
        problem.Backward(DType.BF16, inPlace: false);
        Assert.Equal("", string.Join("\n", problem.Findings));
    }

    private sealed class Problem
    {
        private readonly int _rows, _vocabulary, _chunk;
        private readonly DType _io;
        private readonly VirtualGpuChecks _checks;
        private readonly float[] _logits;
        private readonly int[] _labels;

        public Problem(int rows, int vocabulary, int chunk, DType io, VirtualGpuChecks checks = VirtualGpuChecks.None)
        {
            (_rows, _vocabulary, _chunk, _io, _checks) = (rows, vocabulary, chunk, io, checks);
            _logits = Samples.Normal(1, rows * vocabulary, io, 4);
            // One row in four has no label.
            var random = new Random(2);
            _labels = [.. Enumerable.Range(0, rows).Select(row => row % 4 == 2 ? -1 : random.Next(vocabulary))];
            Lse = [.. Enumerable.Range(0, rows).Select(row => Math.Log(Row(row).Sum(Math.Exp)))];
            Loss = Factor * Weight * Enumerable.Range(0, rows).Where(row => _labels[row] >= 0).Sum(row => Lse[row] - Row(row).ElementAt(_labels[row]));
            Gradients = [.. Enumerable.Range(0, rows * vocabulary).Select(i => (Row: i / vocabulary, Column: i % vocabulary))
                .Select(at => _labels[at.Row] < 0 ? 0 : Gradient * Factor * Weight * (Math.Exp(_logits[at.Row * vocabulary + at.Column] - Lse[at.Row]) - (at.Column == _labels[at.Row] ? 1 : 0)))];
        }

        public double[] Lse { get; }

        public double Loss { get; }

        public double[] Gradients { get; }

        public List<Finding> Findings { get; } = [];

        public (float Loss, float[] Lse) Forward()
        {
            float[]? state = null;
            for (var first = 0; first < _vocabulary; first += _chunk)
            {
                using var run = new KernelRun(new CrossEntropyChunkKernel(_chunk, _vocabulary, _io), _checks).Set("logits", Chunk(first)).Set("labels", _labels).Number("first", first).Number("tokens", _rows);
                _ = state is null ? run.Output("state", 3 * _rows) : run.Set("state", state);
                state = run.Launch(_rows).Floats("state");
                Findings.AddRange(run.Findings);
            }
            using var loss = new KernelRun(new CrossEntropyLossKernel(_vocabulary, Factor), _checks)
                .Set("state", state!).Set("labels", _labels).Set("weight", [Weight]).Output("loss", 1).Output("lse", _rows).Number("tokens", _rows).Launch(_rows);
            Findings.AddRange(loss.Findings);
            return (loss.Floats("loss")[0], loss.Floats("lse"));
        }

        /// <summary>Columns of the vocabulary alone; those behind it have to be zero.</summary>
        public float[] Backward(DType output, bool inPlace)
        {
            var all = new float[_rows * _vocabulary];
            for (var first = 0; first < _vocabulary; first += _chunk)
            {
                using var run = new KernelRun(new CrossEntropyGradKernel(_chunk, _vocabulary, _io, output, Factor), _checks)
                    .Set("logits", Chunk(first)).Set("labels", _labels).Set("lse", [.. Lse.Select(x => (float)x)]).Set("weight", [Weight]).Set("gradient", [Gradient]).Number("first", first).Number("tokens", _rows);
                _ = inPlace ? run.Alias("d_logits", "logits") : run.Output("d_logits", _rows * _chunk);
                var part = run.Launch(_rows).Floats(inPlace ? "logits" : "d_logits");
                Findings.AddRange(run.Findings);
                for (var i = 0; i < part.Length; i++)
                    if (first + i % _chunk < _vocabulary) all[i / _chunk * _vocabulary + first + i % _chunk] = part[i];
                    else Assert.Equal(0, part[i]);
            }
            return all;
        }

        /// <summary>With what is no number behind the vocabulary.</summary>
        private float[] Chunk(int first) => [.. Enumerable.Range(0, _rows * _chunk).Select(i => first + i % _chunk < _vocabulary ? _logits[i / _chunk * _vocabulary + first + i % _chunk] : float.NaN)];

        private IEnumerable<double> Row(int row) => _logits.Skip(row * _vocabulary).Take(_vocabulary).Select(x => (double)x);
    }
}
