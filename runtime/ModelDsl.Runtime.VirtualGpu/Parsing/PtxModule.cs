namespace ModelDsl.Runtime.VirtualGpu.Parsing;

internal enum StateSpace { Generic, Register, Param, Shared, Global, Local, Const }

/// <summary>A named piece of memory: parameter, shared array, global constant table.</summary>
internal sealed class PtxVariable(string name, StateSpace space, PtxType type, int position)
{
    public string Name { get; } = name;
    public StateSpace Space { get; } = space;
    public PtxType Type { get; } = type;
    public int Position { get; } = position;
    public int Alignment { get; set; }

    /// <summary>Length in bytes; zero for <c>.extern .shared name[]</c>, whose length the launch decides.</summary>
    public long Bytes { get; set; }
    public bool IsExternal { get; set; }

    /// <summary>The first bytes; those after them are zero.</summary>
    public byte[]? Initial { get; set; }

    /// <summary>Places in <see cref="Initial"/> that hold the address of another variable.</summary>
    public List<(int Offset, string Symbol)>? Relocations { get; set; }

    /// <summary>For a <c>.reg</c> parameter of a function: its register.</summary>
    public int? Register { get; set; }

    /// <summary>Offset within its space; for global and const variables the device address.</summary>
    public ulong Address { get; set; }
}

internal sealed class PtxModule(PtxSource source)
{
    public PtxSource Source { get; } = source;
    public string Version { get; set; } = "";
    public string Target { get; set; } = "";
    public List<PtxVariable> Variables { get; } = [];
    public List<PtxFunction> Functions { get; } = [];

    /// <summary>Functions declared without a body, such as those of the device's runtime.</summary>
    public HashSet<string> Declared { get; } = [];

    /// <summary>Number of a function, which its address is made of; negative if there is none of that name.</summary>
    public int FindFunction(string name) => Functions.FindIndex(f => !f.IsEntry && f.Name == name);
}

/// <summary>What an indirect call hands over and gets back (<c>.callprototype</c>).</summary>
internal sealed record PtxPrototype(List<PtxVariable> Results, List<PtxVariable> Parameters);

/// <summary>An <c>.entry</c> or <c>.func</c> with everything its body declares.</summary>
internal sealed class PtxFunction(string name, int position, bool isEntry)
{
    public bool IsEntry { get; } = isEntry;
    public string Name { get; } = name;
    public int Position { get; } = position;
    public List<PtxVariable> Parameters { get; } = [];

    /// <summary>What a function hands back.</summary>
    public List<PtxVariable> Results { get; } = [];

    /// <summary>Shared, local and parameter variables declared in the body.</summary>
    public List<PtxVariable> Variables { get; } = [];

    /// <summary>Type of each virtual register, by the number that operands carry.</summary>
    public List<PtxType> Registers { get; } = [];
    public List<PtxInstruction> Instructions { get; } = [];
    public int MaxThreads { get; set; }
    public (int X, int Y, int Z)? RequiredThreads { get; set; }
    public (int X, int Y, int Z)? BlocksPerCluster { get; set; }
}

/// <summary>Names visible between two braces.</summary>
internal sealed class PtxScope(PtxScope? parent)
{
    public PtxScope? Parent { get; } = parent;

    /// <summary>Register number, or the first of a range whose length is <c>Count</c>.</summary>
    public Dictionary<string, (int First, int Count)> Registers { get; } = [];
    public Dictionary<string, PtxVariable> Variables { get; } = [];

    /// <summary>Label to index of the instruction behind it.</summary>
    public Dictionary<string, int> Labels { get; } = [];

    /// <summary>What a register is called here; null where it cannot be seen.</summary>
    public string? RegisterName(int number)
    {
        for (PtxScope? scope = this; scope != null; scope = scope.Parent)
            foreach (var (name, (first, count)) in scope.Registers)
                if (number >= first && number < first + Math.Max(1, count)) return count == 0 ? name : $"{name}{number - first}";
        return null;
    }

    public Dictionary<string, PtxPrototype> Prototypes { get; } = [];

    /// <summary>Labels that an indexed branch may go to (<c>.branchtargets</c>).</summary>
    public Dictionary<string, Operand[]> BranchTargets { get; } = [];

    public PtxPrototype? FindPrototype(string name)
    {
        for (PtxScope? scope = this; scope != null; scope = scope.Parent)
            if (scope.Prototypes.TryGetValue(name, out PtxPrototype? prototype)) return prototype;
        return null;
    }

    public Operand[]? FindBranchTargets(string name)
    {
        for (PtxScope? scope = this; scope != null; scope = scope.Parent)
            if (scope.BranchTargets.TryGetValue(name, out Operand[]? targets)) return targets;
        return null;
    }

    public int? FindLabel(string name)
    {
        for (PtxScope? scope = this; scope != null; scope = scope.Parent)
            if (scope.Labels.TryGetValue(name, out int index)) return index;
        return null;
    }
}
