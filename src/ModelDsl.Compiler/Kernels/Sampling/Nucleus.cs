using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Sampling;

/// <summary>An id that may be sampled.</summary>
/// <param name="Key">Orders ids by probability; below 2^30.</param>
/// <param name="Mass">Its probability as a whole number.</param>
internal sealed record Candidate(U32 Key, S32 Mass);

/// <summary>
/// Finds the least probable id of the nucleus without sorting: a histogram of the probability mass over the ten highest bits of the key
/// tells in which bin the threshold lies, two more over the bits below it tell the rest. Masses are whole numbers, so the order in which
/// threads add them does not matter.
/// </summary>
internal sealed class Nucleus
{
    private const int DigitBits = 10;
    private const int Bins = 1 << DigitBits;

    // What warp 0 tells the others: bits of the threshold so far, mass above them, mass to reach, mass of the nucleus.
    private const int Prefix = 0, Above = 1, Target = 2, Mass = 3;

    private readonly KernelBuilder _k;
    private readonly VocabularyWalk _walk;
    private readonly int _threads;
    private readonly Func<F32, Candidate> _candidateOf;
    private readonly SharedPtr<S32> _bins;
    private readonly SharedPtr<S32> _state;

    public Nucleus(KernelBuilder k, VocabularyWalk walk, int threads, Func<F32, Candidate> candidateOf)
    {
        (_k, _walk, _threads, _candidateOf) = (k, walk, threads, candidateOf);
        _bins = k.Shared<S32>("bins", Bins);
        _state = k.Shared<S32>("state", 4);
    }

    public void FindThreshold(F32 topP)
    {
        for (var shift = 2 * DigitBits; shift >= 0; shift -= DigitBits)
        {
            _k.Comment($"threshold, bits {shift} to {shift + DigitBits - 1}");
            Histogram(shift);
            _k.If(_k.WarpId == 0, () => Narrow(shift, topP), uniform: true);
            _k.SyncThreads();
        }
    }

    /// <summary>Stores the id at which the running mass of the nucleus, by ascending id, passes <paramref name="uniform"/> of the whole.</summary>
    public void Pick(F32 uniform, GlobalPtr<S32> output)
    {
        _k.Comment("mass of each warp's span of ids");
        var warps = _threads / 32;
        var span = (_walk.Vocabulary + warps * _walk.WarpStep - 1) / (warps * _walk.WarpStep) * _walk.WarpStep;
        var threshold = _state[Prefix].As<U32>();
        var spans = _k.Shared<S32>("spans", warps);
        var sum = _k.Var<S32>(0);
        EachStep(_k.WarpId * span, span, (masses, _) => sum.Value += masses.Aggregate((a, b) => a + b), threshold);
        var total = _k.WarpSum(sum.Value);
        spans.StoreIf(_k.LaneId == 0, total, _k.WarpId);
        _k.SyncThreads();
        _k.ReturnIf(_k.WarpId != 0);

        _k.Comment("the span, then the step, then the lane, then the id");
        var fraction = _k.TruncateToS32(_k.Max(_k.Min(uniform, 1f - 1f / (1 << 24)), 0f) * 2147483648f).As<U32>();
        var point = _k.MultiplyHigh(_state[Mass].As<U32>() * 2u, fraction).As<S32>();
        var mine = spans.LoadOr(_k.LaneId < warps, 0, _k.LaneId);
        var running = WarpScan.Inclusive(_k, mine);
        var reached = _k.Ballot(running > point);
        output.StoreIf((reached == 0u) & (_k.LaneId == 0), 0);
        _k.ReturnIf(reached == 0u);
        var which = WarpScan.LowestLane(_k, reached);
        var left = _k.Var(point - _k.Shuffle(running - mine, which));
        EachStep(which * span, span, (masses, first, loop) =>
        {
            var here = masses.Aggregate((a, b) => a + b);
            var upTo = WarpScan.Inclusive(_k, here);
            var lanes = _k.Ballot(upTo > left);
            var remaining = left - (upTo - here);
            S32 id = first + (masses.Length - 1);
            for (var i = masses.Length - 2; i >= 0; i--)
                id = _k.Select(masses.Take(i + 1).Aggregate((a, b) => a + b) > remaining, first + i, id);
            output.StoreIf(_k.LaneId == WarpScan.LowestLane(_k, lanes), id);
            left.Value -= _k.Shuffle(upTo, 31);
            loop.BreakIf(lanes != 0u);
        }, threshold);
    }

    private void EachStep(S32 begin, int span, Action<S32[], S32> body, U32 threshold) =>
        EachStep(begin, span, (masses, first, _) => body(masses, first), threshold);

    /// <summary>A warp goes over a span of ids; the body gets the masses of the lane's ids, zero outside of the nucleus.</summary>
    private void EachStep(S32 begin, int span, Action<S32[], S32, LoopScope> body, U32 threshold)
    {
        var perLane = _walk.WarpStep / 32;
        _k.For(begin, _k.Min(begin + span, _walk.Valid), _walk.WarpStep, (step, loop) =>
        {
            var first = step + _k.LaneId * perLane;
            var candidates = _walk.Load(first, true).Select(_candidateOf);
            body([.. candidates.Select(c => _k.Select(c.Key >= threshold, c.Mass, (S32)0))], first, loop);
        });
    }

    private void Histogram(int shift)
    {
        _k.For(_k.ThreadIdX, Bins, _threads, bin => _bins.Store(0, bin));
        _k.SyncThreads();
        var prefix = shift == 2 * DigitBits ? null : _state[Prefix].As<U32>();
        _walk.ForEach((logit, _) =>
        {
            var candidate = _candidateOf(logit);
            var counts = candidate.Mass > 0;
            if (prefix is not null) counts &= candidate.Key >> (shift + DigitBits) == prefix >> (shift + DigitBits);
            _bins.ReduceAdd(candidate.Mass, ((candidate.Key >> shift) & (Bins - 1)).As<S32>(), counts);
        });
        _k.SyncThreads();
    }

    /// <summary>Warp 0 walks down the bins, 32 at a time, until the mass above and in them reaches the target.</summary>
    private void Narrow(int shift, F32 topP)
    {
        var isFirst = shift == 2 * DigitBits;
        var target = isFirst ? TargetMass(topP) : _state[Target];
        var above = _k.Var(isFirst ? 0 : _state[Above]);
        var row = _k.Var<S32>(Bins / 32);
        var bin = _k.Var<S32>(0);
        _k.DoWhile(() =>
        {
            row.Value -= 1;
            bin.Value = _bins.Row(row, 32).Load(_k.LaneId);
            var next = above + _k.WarpSum(bin.Value);
            var goesOn = (next < target) & (row.Value > 0);
            above.SetIf(goesOn, next);
            return goesOn;
        });

        var upTo = above + WarpScan.InclusiveFromEnd(_k, bin);
        var lane = _k.Max(_k.FindHighestBit(_k.Ballot(upTo >= target)), 0);
        var digit = row.Value * 32 + lane;
        var (reached, own) = (_k.Shuffle(upTo, lane), _k.Shuffle(bin.Value, lane));
        // All lanes have read the state before one of them changes it.
        if (!isFirst) _k.SyncWarp();
        _k.If(_k.LaneId == 0, () =>
        {
            var bits = digit << shift;
            _state.Store(isFirst ? bits : _state[Prefix] | bits, Prefix);
            _state.Store(reached - own, Above);
            _state.Store(target, Target);
            _state.Store(reached, Mass);
        });
    }

    /// <summary><c>ceil(top_p * all)</c>, at least one and at most all.</summary>
    private S32 TargetMass(F32 topP)
    {
        var all = _k.Var<S32>(0);
        _k.For(_k.LaneId, Bins, 32, bin => all.Value += _bins[bin]);
        var total = _k.WarpSum(all.Value);
        var share = -_k.FloorToS32(-(topP * _k.ToF32(total)));
        return _k.Select(topP >= 1f, total, _k.Max(_k.Min(share, total), 1));
    }
}
