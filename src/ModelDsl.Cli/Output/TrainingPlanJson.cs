using System.Text;
using System.Text.Json;
using ModelDsl.Simulation;
using ModelDsl.Simulation.Memory;
using ModelDsl.Simulation.Network;
using ModelDsl.Simulation.Schedules;
using ModelDsl.Simulation.Time;
using ModelDsl.Simulation.Topologies;

namespace ModelDsl.Cli.Output;

/// <summary>A training plan for programs, as src/ModelDsl.Simulation/plan.schema.json describes it. Times are seconds, sizes bytes.</summary>
internal static class TrainingPlanJson
{
    /// <summary>The rank whose parts stand for the step: the one that logs usually come from. It holds the first stage, and under DualPipe the last.</summary>
    private const int ReportedRank = 0;

    public static string Write(TrainingPlan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("train", plan.Train.Name);
            Model(json, plan);
            Schedule(json, plan);
            Overlap(json, plan);
            Network(json, plan);
            if (NetworkTopology.Of(plan.Train.Cluster) is { } topology) TopologyJson.Write(json, topology);
            Memory(json, plan);
            Time(json, plan);
            Throughput(json, plan);
            Cost(json, plan);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Model(Utf8JsonWriter json, TrainingPlan plan)
    {
        var costs = plan.Costs;
        json.WriteStartObject("model");
        json.WriteString("name", plan.Train.Model.Name);
        json.WriteStartObject("parameters");
        json.WriteNumber("total", costs.Parameters);
        json.WriteNumber("active", costs.Active);
        json.WriteNumber("active_without_embedding", costs.Active - costs.Embedding);
        json.WriteNumber("active_without_embedding_and_head", costs.Active - 2 * costs.Embedding);
        json.WriteNumber("mtp", costs.Mtp);
        json.WriteEndObject();
        json.WriteNumber("kv_bytes_per_token", costs.KvBytesPerToken);
        json.WriteStartObject("gflops_per_token");
        json.WriteNumber("causal", costs.TrainingFlopsCausal / 1e9);
        json.WriteNumber("noncausal", costs.TrainingFlopsNonCausal / 1e9);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Schedule(Utf8JsonWriter json, TrainingPlan plan)
    {
        var (schedule, timeline) = (plan.Schedule, plan.Timeline);
        var ranks = Enumerable.Range(0, schedule.Ranks).ToArray();
        json.WriteStartObject("schedule");
        json.WriteString("name", schedule.Name);
        json.WriteNumber("micro_batches", schedule.MicroBatches);
        json.WriteNumber("micro_batch_size", plan.Train.Schedule.MicroBatchSize);
        json.WriteNumber("data_parallel", plan.DataParallel);
        json.WriteNumber("peak_live_chunks", ranks.Max(rank => ScheduleValidator.PeakLive(schedule, rank)));
        json.WriteNumber("makespan_seconds", timeline.Makespan);
        json.WriteNumber("bubble_seconds", ranks.Max(timeline.Bubble));
        var formula = BubbleFormula.Of(schedule, plan.MeanTimes);
        json.WriteNumber("bubble_formula_seconds", formula.Value);
        json.WriteString("bubble_formula", formula.Text);
        json.WriteNumber("transfer_seconds", plan.Times.Transfer);
        json.WriteStartArray("stages");
        foreach (var stage in plan.Stages)
        {
            json.WriteStartObject();
            json.WriteNumber("first_layer", stage.FirstLayer);
            json.WriteNumber("layers", stage.Layers);
            json.WriteStartArray("blocks");
            foreach (var block in stage.Blocks) json.WriteStringValue(block.Kind.ToString().ToLowerInvariant());
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("ranks");
        foreach (var rank in ranks)
        {
            json.WriteStartObject();
            json.WriteStartArray("program");
            foreach (var op in schedule.Programs[rank]) json.WriteStringValue(op.ToString());
            json.WriteEndArray();
            json.WriteStartArray("stages");
            for (var part = 0; part < schedule.Placement.PartsPerRank; part++) json.WriteNumberValue(schedule.Placement.Of(rank, part).Stage);
            json.WriteEndArray();
            json.WriteStartArray("op_seconds");
            foreach (var times in plan.Times.Ranks[rank])
            {
                json.WriteStartObject();
                json.WriteNumber("f", times.Forward);
                json.WriteNumber("b_input", times.BackwardInput);
                json.WriteNumber("w", times.BackwardWeight);
                json.WriteNumber("fb", times.Overlapped);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("peak_live_chunks", ScheduleValidator.PeakLive(schedule, rank));
            json.WriteNumber("peak_deferred_weight_gradients", ScheduleValidator.PeakDeferred(schedule, rank));
            json.WriteNumber("bubble_seconds", timeline.Bubble(rank));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Overlap(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("overlap");
        if (plan.Pair is { } pair)
        {
            json.WriteNumber("hidden_fraction", pair.HiddenFraction);
            json.WriteNumber("pair_seconds", pair.Span);
            json.WriteNumber("compute_seconds", pair.Compute);
            json.WriteNumber("communication_seconds", pair.Communication);
            json.WriteNumber("compute_sms", plan.Train.Cluster.Gpu.Multiprocessors - plan.Train.Schedule.CommSms);
            json.WriteNumber("communication_sms", plan.Train.Schedule.CommSms);
            json.WriteStartArray("segments");
            foreach (var segment in pair.Segments)
            {
                json.WriteStartObject();
                json.WriteString("lane", segment.Lane.ToString().ToLowerInvariant());
                json.WriteString("name", segment.Name);
                json.WriteNumber("layer", segment.Layer);
                json.WriteNumber("start", segment.Start);
                json.WriteNumber("end", segment.End);
                json.WriteNumber("waited", segment.Waited);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Network(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("network");
        json.WriteNumber("stage_transfer_bytes", PipelineTimes.TransferBytes(plan.Train));
        if (plan.Exchange is { } exchange)
        {
            json.WriteString("routing", exchange.Routing.Name);
            json.WriteNumber("heaviest_rank", exchange.RankLoad);
            json.WriteNumber("nodes", exchange.Nodes);
            json.WriteNumber("nodes_per_token", exchange.NodesPerToken);
            json.WriteNumber("remote_nodes_per_token", exchange.RemoteNodes);
            json.WriteNumber("channels", exchange.Channels);
            json.WriteNumber("dispatch_nic_bytes_without_deduplication", exchange.WithoutDeduplication);
            Hop(json, "dispatch", exchange.Dispatch, plan);
            Hop(json, "combine", exchange.Combine, plan);
            json.WriteNumber("nic_bytes_per_layer", exchange.NicBytesPerLayer);
            json.WriteNumber("nvlink_bytes_per_layer", exchange.NvlinkBytesPerLayer);
            json.WriteStartArray("warps");
            foreach (var role in exchange.Roles)
            {
                json.WriteStartObject();
                json.WriteString("kernel", role.Kernel);
                json.WriteString("role", role.Name);
                json.WriteNumber("warps", role.Warps);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Hop(Utf8JsonWriter json, string name, Exchange hop, TrainingPlan plan)
    {
        json.WriteStartObject(name);
        json.WriteString("format", hop.Format.ToString().ToLowerInvariant());
        json.WriteNumber("bytes_per_token", hop.BytesPerToken);
        json.WriteNumber("nic_bytes", hop.NicBytes);
        json.WriteNumber("nvlink_bytes", hop.NvlinkBytes);
        json.WriteString("bottleneck", hop.Bottleneck(plan.Train.Cluster));
        json.WriteNumber("seconds", hop.Seconds);
        json.WriteNumber("seconds_beside_compute", hop.SecondsBesideCompute);
        json.WriteEndObject();
    }

    private static void Memory(Utf8JsonWriter json, TrainingPlan plan)
    {
        var memory = plan.Memory;
        json.WriteStartObject("memory");
        json.WriteNumber("capacity_bytes", memory.Capacity);
        json.WriteNumber("peak_bytes", memory.Peak);
        json.WriteBoolean("fits", memory.Fits);
        json.WriteNumber("fullest_rank", memory.FullestRank);
        json.WriteStartObject("savings");
        foreach (var saving in plan.Savings) json.WriteNumber(saving.Name, saving.Bytes);
        json.WriteEndObject();
        if (WeightDeferral.Of(plan) is { } whole)
        {
            json.WriteStartObject("without_weight_deferral");
            json.WriteNumber("peak_bytes", whole.Peak);
            json.WriteNumber("makespan_seconds", whole.Makespan);
            json.WriteEndObject();
        }
        json.WriteStartArray("ranks");
        foreach (var rank in memory.Ranks)
        {
            json.WriteStartObject();
            json.WriteNumber("peak_bytes", rank.Peak);
            json.WriteNumber("peak_op", rank.Op);
            json.WriteString("peak_op_name", rank.At.ToString());
            if (rank.Seconds is { } seconds) json.WriteNumber("peak_seconds", seconds);
            json.WriteNumber("live_chunks", rank.LiveChunks);
            json.WriteNumber("deferred_weight_gradients", rank.DeferredWeightGradients);
            json.WriteStartObject("consumers");
            foreach (var consumer in rank.Consumers) json.WriteNumber(consumer.Name, consumer.Bytes);
            json.WriteEndObject();
            json.WriteStartArray("bytes_by_op");
            foreach (var bytes in rank.ByOp) json.WriteNumberValue(Math.Round(bytes));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, TrainingPlan plan)
    {
        json.WriteStartObject("time");
        json.WriteNumber("step_seconds", plan.StepSeconds);
        json.WriteNumber("planned_seconds", plan.PlannedSeconds);
        json.WriteNumber("rank", ReportedRank);
        Parts(json, plan.Parts(ReportedRank));
        if (plan.Residual is { } residual)
        {
            json.WriteNumber("residual", residual);
            json.WriteNumber("measured_seconds", plan.Measured!.Value.Seconds);
            json.WriteString("measured_source", plan.Measured.Value.Source);
            if (plan.Published is { } run)
            {
                json.WriteStartObject("published");
                json.WriteString("source", run.Source);
                json.WriteNumber("step_seconds", run.StepSeconds);
                Parts(json, run.Parts);
                json.WriteEndObject();
            }
        }
        else
        {
            json.WriteNull("residual");
        }
        json.WriteStartArray("ranks");
        for (var rank = 0; rank < plan.Schedule.Ranks; rank++)
        {
            json.WriteStartObject();
            Parts(json, plan.Parts(rank));
            var optimizer = plan.Optimizers[rank];
            json.WriteNumber("gradient_sum", optimizer.Reduce);
            json.WriteNumber("weight_update", optimizer.Update);
            json.WriteNumber("weight_spread", optimizer.Gather);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Parts(Utf8JsonWriter json, StepParts parts)
    {
        json.WriteNumber("f", parts.Forward);
        json.WriteNumber("b", parts.Backward);
        json.WriteNumber("w", parts.Weight);
        json.WriteNumber("pairs", parts.Pairs);
        json.WriteNumber("bubble", parts.Bubble);
        json.WriteNumber("optimizer", parts.Optimizer);
    }

    private static void Throughput(Utf8JsonWriter json, TrainingPlan plan)
    {
        var throughput = plan.Throughput;
        json.WriteStartObject("throughput");
        json.WriteNumber("tokens_per_step", plan.TokensPerStep);
        json.WriteNumber("tokens_per_day", throughput.TokensPerDay);
        json.WriteNumber("mfu_causal", throughput.MfuCausal);
        json.WriteNumber("mfu_noncausal", throughput.MfuNonCausal);
        json.WriteNumber("gpu_hours_per_trillion_tokens", throughput.GpuHoursPerTrillion);
        json.WriteEndObject();
    }

    private static void Cost(Utf8JsonWriter json, TrainingPlan plan)
    {
        var cost = plan.Cost;
        json.WriteStartObject("cost");
        json.WriteNumber("gpu_hours", cost.GpuHours);
        if (cost.Dollars is { } dollars) json.WriteNumber("dollars", dollars);
        json.WriteStartArray("stages");
        foreach (var stage in cost.Stages)
        {
            json.WriteStartObject();
            json.WriteString("name", stage.Name);
            json.WriteNumber("sequence", stage.Sequence);
            json.WriteNumber("tokens", stage.Tokens);
            json.WriteNumber("gpu_hours", stage.GpuHours);
            if (stage.Dollars is { } price) json.WriteNumber("dollars", price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
