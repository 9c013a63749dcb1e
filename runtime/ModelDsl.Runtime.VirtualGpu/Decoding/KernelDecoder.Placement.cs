using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

// Placement: where variables lie.
internal sealed unsafe partial class KernelDecoder
{
    private void PlaceVariables()
    {
        PtxFunction entry = _instance.Function;
        uint parameter = 0;
        foreach (PtxVariable variable in entry.Parameters)
        {
            parameter = Align(parameter, variable.Alignment);
            variable.Address = parameter;
            if (parameter + variable.Bytes > MostParameterBytes) throw Error(variable.Position, $"parameters take at most {MostParameterBytes:N0} bytes");
            parameter += (uint)variable.Bytes;
        }
        _kernel.ParameterBytes = parameter;
        PlaceShared(entry);
    }

    /// <summary>Shared memory of the module, the entry and whatever it may call; the array whose length the launch decides comes last.</summary>
    private void PlaceShared(PtxFunction entry)
    {
        IEnumerable<PtxVariable> variables = entry.Variables.Concat(_kernel.Module.Variables);
        if (entry.Instructions.Exists(i => i.Name == "call")) variables = variables.Concat(_kernel.Module.Functions.Where(f => !f.IsEntry).SelectMany(f => f.Variables));
        uint shared = 0;
        int alignment = 16;
        foreach (PtxVariable variable in variables.Where(v => v.Space == StateSpace.Shared))
        {
            if (variable.Bytes > 0) shared = LeaveGap(variable, Place(variable, shared));
            else alignment = Math.Max(alignment, variable.Alignment);
        }
        shared = Align(shared, alignment);
        // Cooperative groups keep their own data in shared memory that the system reserves, and ask for its place.
        _reserved = shared;
        if (_kernel.Module.Source.Text.Contains(ReservedShared, StringComparison.Ordinal)) shared += ReservedBytes;
        foreach (PtxVariable variable in variables.Where(v => v.Space == StateSpace.Shared && v.Bytes == 0)) variable.Address = shared;
        _kernel.StaticSharedBytes = shared;
    }

    /// <summary>Where memory is checked no variable follows another at once, so that running over an end is seen.</summary>
    private uint LeaveGap(PtxVariable variable, uint end)
    {
        if ((_kernel.Checks & VirtualGpuChecks.Memory) == 0) return end;
        _kernel.SharedGaps.Add(new SharedGap(end, end + SharedGapBytes, variable.Name));
        _kernel.SharedGapBytes += SharedGapBytes;
        return end + SharedGapBytes;
    }

    /// <summary>What each thread has of its own for a function: local variables and the parameters of calls.</summary>
    private void PlacePrivate(PtxFunction function)
    {
        uint local = Frame?.Bytes ?? _kernel.LocalBytes;
        foreach (PtxVariable variable in function.Variables)
            if (variable.Space is StateSpace.Local or StateSpace.Param) local = Place(variable, local);
        local = Align(local, 16);
        if (Frame is { } frame) frame.Bytes = local;
        else _kernel.LocalBytes = local;
    }

    private uint Place(PtxVariable variable, uint at)
    {
        at = Align(at, variable.Alignment);
        variable.Address = at;
        if (at + variable.Bytes > MostPrivateBytes) throw Error(variable.Position, $"'{variable.Name}' does not fit in .{variable.Space.ToString().ToLowerInvariant()}");
        return at + (uint)variable.Bytes;
    }

    private static uint Align(uint value, int alignment) => (uint)((value + alignment - 1) / alignment * alignment);
}
