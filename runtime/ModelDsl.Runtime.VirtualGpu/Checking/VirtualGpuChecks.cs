namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>What a virtual GPU looks for while a kernel runs. What is not asked for costs nothing.</summary>
[Flags]
public enum VirtualGpuChecks
{
    None = 0,

    /// <summary>Accesses out of bounds, misaligned, to freed or read-only memory; 32-bit overflow in an address.</summary>
    Memory = 1,

    /// <summary>Registers and memory that are read before anything was written to them.</summary>
    Init = 2,

    /// <summary>Accesses of two threads to one place, one of them a write, that nothing orders.</summary>
    Race = 4,

    /// <summary>Barriers, warp-wide instructions and asynchronous copies that threads do not use together as they must.</summary>
    Sync = 8,

    All = Memory | Init | Race | Sync,
}

/// <summary>The names of checks on a command line.</summary>
public static class VirtualGpuCheckNames
{
    /// <summary>Reads <c>memory,init,race,sync</c>, <c>all</c> or <c>none</c>, in any case and order.</summary>
    /// <param name="unknown">The first name that is none of them; empty where a name is missing.</param>
    public static bool TryParse(string text, out VirtualGpuChecks checks, out string unknown)
    {
        ArgumentNullException.ThrowIfNull(text);
        checks = VirtualGpuChecks.None;
        foreach (string part in text.Split(','))
        {
            unknown = part.Trim();
            // Numbers are no names, though the framework would take them.
            if (unknown.Length == 0 || !char.IsAsciiLetter(unknown[0]) || !Enum.TryParse(unknown, ignoreCase: true, out VirtualGpuChecks check)) return false;
            checks |= check;
        }
        unknown = "";
        return true;
    }
}
