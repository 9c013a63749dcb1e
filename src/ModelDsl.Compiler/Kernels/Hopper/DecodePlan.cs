using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Compiler.Kernels.Hopper;

/// <summary>Pages of a request that a part of the grid works through.</summary>
/// <param name="From">First page, counted in the request.</param>
/// <param name="To">Behind the last; where the request has no token, <paramref name="From"/>.</param>
/// <param name="Length">Tokens of the request.</param>
/// <param name="Slot">Where its sums go until they are combined; negative: it is all there is of the request.</param>
internal sealed record DecodePiece(S32 Request, S32 From, S32 To, S32 Length, S32 Slot);

/// <summary>A part of the line: <paramref name="Low"/> to <paramref name="High"/>, not included.</summary>
internal sealed record DecodeRange(S32 Part, S32 Low, S32 High, S32 FirstRequest);

/// <summary>
/// How pages of all requests are dealt out. Requests lie one behind the other, each as long as its pages and <see cref="RequestCost"/>, which stands for the time that
/// it takes to begin and end one; that line is cut into as many equal parts as there are. Where each request begins is all that has to be known, and the plan
/// kernel writes it: lengths may change from step to step under the same launches.
/// </summary>
/// <remarks>A part has at most two pieces of requests that others have pieces of, too: its first and its last. So two slots per part are enough.</remarks>
/// <param name="Starts">i32[requests + 1].</param>
internal sealed record DecodePlan(KernelBuilder K, GlobalPtr<S32> Starts, S32 Requests, int Parts)
{
    public const int Page = 64;

    /// <summary>In pages.</summary>
    private const int RequestCost = 5;

    /// <summary>What a request takes of the line. One without tokens still has an output.</summary>
    public static S32 Units(KernelBuilder k, S32 length) => k.Max(k.CeilDivide(length, Page), 1) + RequestCost;

    /// <summary>Where a part begins and ends on the line, and in which request. By whole warps.</summary>
    public DecodeRange RangeOf(S32 part)
    {
        var all = Starts.Load(Requests);
        var low = part * all / Parts;
        return new DecodeRange(part, low, (part + 1) * all / Parts, LastNotBehind(low));
    }

    /// <summary>The pieces of a part, request by request.</summary>
    public void ForEach(DecodeRange range, GlobalPtr<S32> lengths, Action<DecodePiece> work)
    {
        var (part, low, high, firstRequest) = range;
        var request = K.Var(firstRequest);
        K.While(() => request.Value < Requests, loop =>
        {
            var start = Starts.Load(request.Value);
            loop.BreakIf(start >= high);
            var (first, end) = (start + RequestCost, Starts.Load(request.Value + 1));
            var (from, to) = (K.Max(low, first), K.Min(high, end));
            K.If(from < to, () =>
            {
                var length = lengths.Load(request.Value);
                var slot = K.Select(from > first, part * 2, K.Select<S32>(to < end, part * 2 + 1, -1));
                work(new DecodePiece(request.Value, from - first, K.Min(to - first, K.CeilDivide(length, Page)), length, slot));
            }, uniform: true);
            request.Value = request.Value + 1;
        });
    }

    /// <summary>Where there are more parts than the line has units, some are empty.</summary>
    public Pred IsEmpty(S32 part)
    {
        var all = Starts.Load(Requests);
        return part * all / Parts == (part + 1) * all / Parts;
    }

    /// <summary>The parts that have pieces of a request, first and last; between them may be empty ones.</summary>
    public (S32 First, S32 Last) PartsOf(S32 request)
    {
        var all = Starts.Load(Requests);
        S32 PartOf(S32 unit) => ((unit + 1) * Parts - 1) / all;
        return (PartOf(Starts.Load(request) + RequestCost), PartOf(Starts.Load(request + 1) - 1));
    }

    /// <summary>The slot of a part's piece of a request.</summary>
    public S32 SlotOf(S32 part, S32 first) => part * 2 + K.ToS32(part == first);

    /// <summary>The last request that begins at a unit or before it; lanes look at 32 of them at once.</summary>
    private S32 LastNotBehind(S32 unit)
    {
        var count = K.Var<S32>(0);
        K.For(0, Requests, 32, first =>
        {
            var at = first + K.LaneId;
            var begins = (Starts + K.Min(at, Requests - 1)).Load() <= unit & at < Requests;
            count.Value = count.Value + K.PopCount(K.Ballot(begins).As<B32>());
        });
        return count.Value - 1;
    }
}
