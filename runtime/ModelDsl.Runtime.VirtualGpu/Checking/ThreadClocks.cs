using Bits = System.Numerics.BitOperations;

namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>
/// What each thread of a block knows of the others: up to which tick of its clock a thread's accesses happened before this
/// point (vector clocks). Barriers make all who come know what each of them knew. A warp has one clock for its lanes; it ticks when one of them
/// tells others something.
/// </summary>
internal sealed class ThreadClocks
{
    private int[] _clocks = [];
    private int[][] _known = [];
    private Knowledge?[] _far = [], _fenced = [], _pending = [];
    private bool _hasFar;

    public long Block { get; private set; }

    /// <summary>A block starts: nobody knows anything.</summary>
    public void Begin(long block, int threads)
    {
        Block = block;
        int warps = (threads + 31) / 32, lanes = warps * 32;
        if (_known.Length != lanes)
        {
            _known = new int[lanes][];
            _far = new Knowledge?[lanes];
            _fenced = new Knowledge?[lanes];
            _pending = new Knowledge?[lanes];
            _clocks = new int[warps];
        }
        Array.Fill(_clocks, 1);
        Array.Fill(_known, new int[lanes]);
        if (!_hasFar) return;
        Array.Clear(_far);
        Array.Clear(_fenced);
        Array.Clear(_pending);
        _hasFar = false;
    }

    public int Clock(int warp) => _clocks[warp];

    /// <summary>The array may be shared and must not be written.</summary>
    public int[] Known(int thread) => _known[thread];

    /// <summary>Whether a thread of another block was at most at this tick when it told what this thread has heard.</summary>
    public bool KnowsFar(int thread, long block, int other, int clock) => _far[thread]?.Find(block) is { } known && clock <= known[other];

    /// <summary>Whether strong reads of this thread have told it so, which it knows after its next fence.</summary>
    public bool HasRead(int thread, long block, int other, int clock) => _pending[thread]?.Find(block) is { } told && clock <= told[other];

    /// <summary>Threads come to a barrier and tell what they know.</summary>
    public void Arrive(Meeting meeting, int warp, uint lanes)
    {
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            meeting.Add(_known[thread]);
            meeting.Clock[thread] = Math.Max(meeting.Clock[thread], _clocks[warp]);
            if (!_hasFar) continue;
            meeting.Far = Knowledge.Join(meeting.Far, _far[thread]);
            meeting.Fenced = Knowledge.Join(meeting.Fenced, _fenced[thread]);
            meeting.Pending = Knowledge.Join(meeting.Pending, _pending[thread]);
        }
        _clocks[warp]++;
    }

    /// <summary>Threads go on from a barrier knowing what all have told.</summary>
    public void Leave(Meeting meeting, int warp, uint lanes)
    {
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            _known[thread] = meeting.Clock;
            if (!_hasFar) continue;
            _far[thread] = Knowledge.Join(_far[thread], meeting.Far);
            _fenced[thread] = Knowledge.Join(_fenced[thread], meeting.Fenced);
            _pending[thread] = Knowledge.Join(_pending[thread], meeting.Pending);
        }
    }

    /// <summary>
    /// Lanes exchange values by registers. That orders no memory of theirs, but what one has learnt of other warps and blocks the others
    /// may rely on: libraries let one lane wait and shuffle the news.
    /// </summary>
    public void Exchange(int warp, uint lanes)
    {
        int first = 32 * warp + Bits.TrailingZeroCount(lanes);
        bool same = true;
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            same &= ReferenceEquals(_known[thread], _known[first]) && ReferenceEquals(_far[thread], _far[first]) && ReferenceEquals(_pending[thread], _pending[first]);
        }
        if (same) return;
        Meeting meeting = NewMeeting();
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            meeting.Add(_known[thread]);
            meeting.Far = Knowledge.Join(meeting.Far, _far[thread]);
            meeting.Pending = Knowledge.Join(meeting.Pending, _pending[thread]);
        }
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            int[] known = (int[])meeting.Clock.Clone();
            Array.Copy(_known[thread], 32 * warp, known, 32 * warp, 32);
            (_known[thread], _far[thread], _pending[thread]) = (known, meeting.Far, meeting.Pending);
        }
    }

    /// <summary>New meeting of this block's threads.</summary>
    public Meeting NewMeeting() => new(_known.Length);

    /// <summary>A fence: what was read by strong reads is known from here on, and what is known from here on told by strong writes.</summary>
    public void Fence(int warp, uint lanes, bool isBlockScope)
    {
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int thread = 32 * warp + Bits.TrailingZeroCount(left);
            if (_pending[thread] is { } heard) Hear(thread, heard);
            _pending[thread] = null;
            _fenced[thread] = Tell(thread, isBlockScope);
        }
        _clocks[warp]++;
    }

    /// <summary>What a strong write by a thread tells whoever reads it; null for nothing.</summary>
    public Knowledge? Published(int thread, bool isRelease, bool isBlockScope)
    {
        if (!isRelease) return _fenced[thread];
        Knowledge told = Tell(thread, isBlockScope);
        _clocks[thread / 32]++;
        return told;
    }

    /// <summary>A strong read has read a write that tells something.</summary>
    public void Read(int thread, Knowledge told, bool isAcquire)
    {
        _hasFar = true;
        if (isAcquire) Hear(thread, told);
        else _pending[thread] = Knowledge.Join(_pending[thread], told);
    }

    private Knowledge Tell(int thread, bool isBlockScope)
    {
        _hasFar = true;
        int[] clock = (int[])_known[thread].Clone();
        clock[thread] = _clocks[thread / 32];
        return Knowledge.Join(new Knowledge(Block, clock, isBlockScope), _far[thread])!;
    }

    private void Hear(int thread, Knowledge told)
    {
        if (told.Find(Block) is { } near)
        {
            int[] joined = (int[])_known[thread].Clone();
            Knowledge.Raise(joined, near);
            _known[thread] = joined;
        }
        _far[thread] = Knowledge.Join(_far[thread], told.Without(Block));
    }
}

/// <summary>What threads that meet at a barrier tell each other.</summary>
internal sealed class Meeting(int threads)
{
    private int[]? _last;

    public int[] Clock { get; } = new int[threads];

    public Knowledge? Far { get; set; }

    public Knowledge? Fenced { get; set; }

    public Knowledge? Pending { get; set; }

    public void Add(int[] known)
    {
        // Threads that met before share one array.
        if (ReferenceEquals(_last, known)) return;
        _last = known;
        Knowledge.Raise(Clock, known);
    }
}
