using ModelDsl.Compiler.Kernels.Access;
using ModelDsl.Compiler.Specs;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Moe;

/// <summary>Restricts the choice of experts to the best groups. A lane looks at one group, which the warp lays out in shared memory.</summary>
internal sealed class GroupLimit(KernelBuilder k, WarpRanking experts, int count, GroupSpec groups)
{
    private readonly int _size = count / groups.Count;

    /// <summary>The keys of the biased scores; minus infinity for experts of other groups than the best.</summary>
    /// <param name="warps">Of the block, each of which has scores of its own.</param>
    public IEnumerable<U32> Apply(F32[] biased, int warps)
    {
        k.Comment("the best groups");
        var shared = k.Shared<F32>("biased", warps * count).Row(k.WarpId, count);
        for (var i = 0; i < experts.Slots; i++) shared.StoreIf(experts.Exists(i), biased[i], experts.Item(i));
        k.SyncWarp();

        var ranking = new WarpRanking(k, groups.Count);
        var slots = Enumerable.Range(0, ranking.Slots).ToArray();
        var keys = slots.Select(i =>
        {
            var group = groups.Count % 32 == 0 ? ranking.Item(i) : k.Min(ranking.Item(i), groups.Count - 1);
            return ranking.Key(Score(shared.Row(group, _size).LoadMany(_size, aligned: _size)));
        });
        var kept = ranking.Best(keys, groups.Kept).Select(k.Ballot).ToArray();

        return biased.Select((score, i) => k.Select(IsKept(experts.Item(i) / _size, kept), experts.Key(score), WarpRanking.LowestKey));
    }

    private F32 Score(F32[] members)
    {
        if (groups.Score == GroupScore.Max || members.Length == 1) return members.Aggregate(k.Max);
        var (best, second) = (k.Max(members[0], members[1]), k.Min(members[0], members[1]));
        foreach (var member in members.Skip(2)) (second, best) = (k.Max(second, k.Min(best, member)), k.Max(best, member));
        return best + second;
    }

    /// <summary>Bit <paramref name="group"/> of a mask of any length; a shift by 32 or more, which a negative one is, gives zero.</summary>
    private static Pred IsKept(S32 group, U32[] kept) =>
        (kept.Select((mask, i) => mask >> (group - 32 * i)).Aggregate((a, b) => a | b) & 1u) != 0u;
}
