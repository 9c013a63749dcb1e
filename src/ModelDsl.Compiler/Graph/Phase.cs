namespace ModelDsl.Compiler.Graph;

/// <summary>The graphs that inference needs of a model.</summary>
public enum Phase
{
    /// <summary>T new tokens of one sequence whose context is S tokens long, theirs included; logits of the last L.</summary>
    Prefill,

    /// <summary>T sequences, one new token each; logits of all.</summary>
    Decode,

    /// <summary>The best token of each row of logits.</summary>
    Greedy,

    /// <summary>A token of each row of logits, drawn from the nucleus.</summary>
    Nucleus,
}
