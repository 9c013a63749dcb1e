namespace ModelDsl.Runtime.VirtualGpu.Checking;

/// <summary>What puts a kind of mistake right, where nothing more particular is known.</summary>
internal static class Remedies
{
    public static string Of(FindingKind kind) => kind switch
    {
        FindingKind.OutOfBounds => "guard the access so that threads beyond the end skip it, or correct the index",
        FindingKind.Misaligned => "make the address a multiple of the access size, or use narrower accesses",
        FindingKind.UseAfterFree => "free the memory after the last kernel that uses it",
        FindingKind.ReadOnly => "write to global memory; constants and parameters cannot be written",
        FindingKind.AddressOverflow => "compute the index in 64 bits: widen the operands before the operation (mul.wide, cvt.s64)",
        FindingKind.UninitialisedRegister => "give the register a value on every path that leads here",
        FindingKind.UninitialisedMemory => "write the memory before it is read, or do not read what was not written",
        FindingKind.LocalAddress => "hand over the value itself, or keep it in shared or global memory: local memory is each thread's own",
        FindingKind.Race => "put a barrier between the two accesses, or make both atomic",
        FindingKind.WarpgroupRegisters => "put wgmma.fence before the first product, and wgmma.wait_group between it and what touches its registers",
        FindingKind.ProxyFence => "let the threads that store execute fence.proxy.async after it and before the barrier that the copy or product waits for",
        FindingKind.BarrierMismatch => "let all threads that take part reach the same barrier: move it out of the branch, return only after it",
        FindingKind.Deadlock => "let every thread that is waited for reach the barrier",
        FindingKind.EndlessLoop => "let the loop end: write what it waits for, or bound the number of rounds",
        FindingKind.AsyncCopy => "wait for the copy first (cp.async.wait_group with a small enough number), then let a barrier follow",
        FindingKind.InactiveLanes => "let all lanes named in the mask execute the instruction together, or name only those that do",
        FindingKind.InvalidOperand => "give the operand a value the instruction takes",
        FindingKind.Trap => "find out why the kernel came to its trap: it is the kernel's own check",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
