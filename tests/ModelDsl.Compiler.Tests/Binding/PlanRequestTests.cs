using ModelDsl.Compiler.Diagnostics;
using ModelDsl.Testing;

namespace ModelDsl.Compiler.Tests.Binding;

/// <summary>What cannot be trained or served is said with its code, at its place, with the nearest values that work.</summary>
public class PlanRequestTests
{
    [Theory]
    [InlineData("parallel.expert=48", DiagnosticCode.ExpertsPerRank, "256 routed experts do not divide among 48", "use expert = 32 or 64")]
    [InlineData("parallel.pipeline=15", DiagnosticCode.OddDualPipe, "even number of stages, not 15", "use pipeline = 8 or 16, or schedule zb1p")]
    [InlineData("parallel.pipeline=64", DiagnosticCode.StagesPerLayers, "64 pipeline stages for 61 layers", "use pipeline = 32")]
    [InlineData("parallel.pipeline=48", DiagnosticCode.GpusPerPlan, "pipeline 48 x tensor 1 = 48 GPUs do not divide", "use pipeline = 32")]
    [InlineData("parallel.tensor=3", DiagnosticCode.HeadsPerTensor, "128 heads do not divide among 3", "use tensor = 2 or 4")]
    [InlineData("parallel.expert=256", DiagnosticCode.GpusPerPlan, "256 expert ranks do not divide the 128 GPUs", "use expert = 128")]
    [InlineData("schedule.micro_batches=30", DiagnosticCode.FewMicroBatches, "at least 32 micro-batches for 16 stages", "use micro_batches = 32")]
    [InlineData("schedule.micro_batches=33", DiagnosticCode.MicroBatchesPerSchedule, "even number of micro-batches, not 33", "use micro_batches = 32 or 34")]
    [InlineData("schedule.micro_batches=16777216", DiagnosticCode.StepTooLong, "longer than can be planned", "use at most 65 536 micro-batches")]
    [InlineData("schedule.micro_batches=1e30", DiagnosticCode.OutOfRange, "at most", null)]
    [InlineData("schedule.comm_sms=200", DiagnosticCode.CommunicationSms, "leave none of the 132", "use fewer than 132; 20 were published for 132")]
    [InlineData("batch=15361", DiagnosticCode.BatchPerRank, "does not divide among 128 data-parallel ranks: 1 left over", "use batch = 15360 or 15488")]
    [InlineData("schedule.micro_batch_size=7", DiagnosticCode.BatchPerRank, "128 data-parallel ranks in micro-batches of 7: 128 left over", "use batch = 15232 or 16128")]
    [InlineData("schedule.micro_batch_size=8", DiagnosticCode.FewMicroBatches, "at least 32 micro-batches for 16 stages; a batch of 3072 sequences over 128 data-parallel ranks in micro-batches of 8 gives 3", "use batch = 32768")]
    [InlineData("batch=0", DiagnosticCode.OutOfRange, "'batch' is 0, and must be at least 1", null)]
    [InlineData("parallel.pipeline=0", DiagnosticCode.OutOfRange, "at least 1", null)]
    [InlineData("parallel.pipeline=-16", DiagnosticCode.OutOfRange, "at least 1", null)]
    [InlineData("parallel.pipeline=1e30", DiagnosticCode.OutOfRange, "at most", null)]
    [InlineData("parallel.pipeline=1e400", DiagnosticCode.NumberTooLarge, "too large", null)]
    [InlineData("data.tokens=0 tokens", DiagnosticCode.OutOfRange, "more than 0", null)]
    [InlineData("data.tokens=1e30 tokens", DiagnosticCode.OutOfRange, "at most", null)]
    [InlineData("data.sequence=2000000", DiagnosticCode.SequenceBeyondContext, "exceed the context", null)]
    public void Training(string set, DiagnosticCode code, string message, string? hint)
    {
        var found = Program.Bind(Program.DeepSeekV3, $"Pretrain.{set}").Diagnostics.Where(d => d.Code == code && d.IsError).ToArray();
        var diagnostic = Assert.Single(found);
        Assert.Contains(message, diagnostic.Message);
        Assert.Equal(hint, diagnostic.Hint);
    }

    [Theory]
    [InlineData("decode.unit=400 nodes", DiagnosticCode.UnitTooLarge, "use unit = 256 nodes or less")]
    [InlineData("decode.attention=parallel(tensor: 4, data: 79)", DiagnosticCode.AttentionUnit, "use data = 80")]
    [InlineData("decode.experts=parallel(expert: 320, redundant: 60)", DiagnosticCode.ExpertUnit, "use redundant = 64")]
    [InlineData("decode.experts=parallel(expert: 330, redundant: 64)", DiagnosticCode.ExpertUnit, "use expert = 320, or a larger unit")]
    [InlineData("prefill.experts=parallel(expert: 30)", DiagnosticCode.ExpertsPerRank, "use expert = 16 or 32")]
    [InlineData("prefill.attention=parallel(tensor: 3, data: 8)", DiagnosticCode.HeadsPerTensor, "use tensor = 2 or 4")]
    public void Serving(string set, DiagnosticCode code, string hint)
    {
        var found = Program.Bind(Program.DeepSeekV3, $"Online.{set}").Diagnostics.Where(d => d.Code == code && d.IsError);
        Assert.Equal(hint, Assert.Single(found).Hint);
    }

    [Fact]
    public void OtherSchedules()
    {
        string? Text(string kind, params string[] set) =>
            Program.Bind(Program.DeepSeekV3.Replace("schedule dualpipe", "schedule " + kind), set).Diagnostics
                .FirstOrDefault(d => d.IsError && d.Code != DiagnosticCode.TrainMemory)?.Message;
        Assert.Null(Text("1f1b"));
        Assert.Null(Text("dualpipev", "Pretrain.schedule.micro_batches=17"));
        Assert.Equal("dualpipev wants at least 16 micro-batches for 16 stages; micro_batches gives 15", Text("dualpipev", "Pretrain.schedule.micro_batches=15"));
        Assert.Equal("interleaved wants a multiple of its 8 ranks as micro-batches, not 42", Text("interleaved", "Pretrain.schedule.micro_batches=42"));
        Assert.Equal(
            "interleaved puts two stages on a rank and wants an even number of them, not 1",
            Text("interleaved", "Pretrain.parallel.pipeline=1", "Pretrain.schedule.micro_batches=42"));
    }

    /// <summary>Six mistakes in as many lines: six messages, none hidden behind another.</summary>
    [Fact]
    public Task AllAtOnce()
    {
        var program = Program.Bind(
            Program.DeepSeekV3, "cluster.H800x2048.nodes=250", "Pretrain.parallel.pipeline=15", "Pretrain.parallel.expert=48", "Pretrain.parallel.tensor=3",
            "Pretrain.schedule.micro_batches=20", "Pretrain.schedule.comm_sms=132", "Online.decode.unit=300 nodes");
        return Verifier.Verify(DiagnosticText.Render([.. program.Diagnostics.Where(d => d.IsError)], program.Source));
    }
}
