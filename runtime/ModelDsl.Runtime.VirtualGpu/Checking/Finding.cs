using System.Text;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>What is wrong with a kernel.</summary>
public enum FindingKind
{
    /// <summary>An access where nothing is allocated.</summary>
    OutOfBounds,

    /// <summary>An address that is no multiple of the size of the access.</summary>
    Misaligned,

    /// <summary>An access to memory that has been given back.</summary>
    UseAfterFree,

    /// <summary>A write to constants or parameters.</summary>
    ReadOnly,

    /// <summary>A 32-bit calculation that overflowed went into an address.</summary>
    AddressOverflow,

    /// <summary>A register or predicate read by a thread that has not written it.</summary>
    UninitialisedRegister,

    /// <summary>Memory read that nobody has written.</summary>
    UninitialisedMemory,

    /// <summary>An address in one thread's local memory that another one takes.</summary>
    LocalAddress,

    /// <summary>Two threads at one place, one of them writing, in no order.</summary>
    Race,

    /// <summary>A barrier that part of a warp or block comes to, or not in the same way.</summary>
    BarrierMismatch,

    /// <summary>Threads that wait for others that never come.</summary>
    Deadlock,

    /// <summary>A loop whose end nothing brings about.</summary>
    EndlessLoop,

    /// <summary>Data of an asynchronous copy used before the copy was waited for.</summary>
    AsyncCopy,

    /// <summary>Registers of <c>wgmma</c> touched while it is under way, or used by it without a fence.</summary>
    WarpgroupRegisters,

    /// <summary>Shared memory that bulk copies or <c>wgmma</c> read after plain stores, with no fence between the proxies.</summary>
    ProxyFence,

    /// <summary>A warp-wide instruction without all lanes it needs.</summary>
    InactiveLanes,

    /// <summary>An operand outside of what the instruction takes.</summary>
    InvalidOperand,

    /// <summary>The kernel stopped itself.</summary>
    Trap,
}

/// <summary>A line of PTX.</summary>
/// <param name="Line">From 1 on.</param>
/// <param name="Text">The line itself, without indentation.</param>
/// <param name="Source"><c>file:line</c> of the program it was compiled from, where the PTX says so (<c>.loc</c>).</param>
public sealed record CodePlace(int Line, string Text, string? Source)
{
    public override string ToString() => $"line {Line} '{Text}'{(Source == null ? "" : $" ({Source})")}";
}

/// <summary>Something a kernel does wrong. There is one for each kind and instruction (or pair of them), however often it happens.</summary>
/// <param name="At">The instruction at fault.</param>
/// <param name="Other">The second one where it takes two: the other side of a race, where a value overflowed, what the others wait at.</param>
/// <param name="Block">Coordinates of the block where it was first seen.</param>
/// <param name="Thread">Coordinates of the thread in the block.</param>
/// <param name="Address">Device address, or the offset in shared, local or parameter memory, where memory is involved.</param>
/// <param name="Message">What happened.</param>
/// <param name="Remedy">What would put it right.</param>
public sealed record Finding(
    FindingKind Kind, string Kernel, CodePlace At, CodePlace? Other, Dim3 Block, Dim3 Thread, ulong? Address, string Message, string Remedy)
{
    /// <summary>Everything on one line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"{NameOf(Kind)}: kernel '{Kernel}', {At}, block {Block}, thread {Thread}");
        if (Address is { } address) text.Append($", address 0x{address:x}");
        text.Append($": {Message}");
        if (Other != null) text.Append($"; the other instruction: {Other}");
        return text.Append($"; remedy: {Remedy}").ToString();
    }

    /// <summary><c>out-of-bounds</c> for <see cref="FindingKind.OutOfBounds"/>.</summary>
    public static string NameOf(FindingKind kind)
    {
        var name = new StringBuilder();
        foreach (char c in kind.ToString())
        {
            if (char.IsUpper(c) && name.Length > 0) name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }
        return name.ToString();
    }
}
