namespace ModelDsl.Compiler.Graph;

/// <summary>What an op may read: the result of another op, or something that is there before the first one. Closed.</summary>
public abstract record Value(TensorType Type)
{
    /// <summary>As it stands in IR text: <c>%12</c>, <c>$ids</c>, <c>w"head"</c>, <c>cache.3</c>.</summary>
    public abstract string Name { get; }

    public sealed override string ToString() => Name;
}

/// <summary>The result of an op. Two temporaries with the same number are the same value.</summary>
public sealed record Temporary(int Id, TensorType Type) : Value(Type)
{
    public override string Name => $"%{Id}";

    public bool Equals(Temporary? other) => other is not null && other.Id == Id && other.Type == Type;

    public override int GetHashCode() => Id;
}

/// <summary>What the caller of the step supplies. A number has rank 0.</summary>
public sealed record InputValue(StepInput Input, TensorType Type) : Value(Type)
{
    public override string Name => $"${char.ToLowerInvariant(Input.ToString()[0])}{Input.ToString().Substring(1)}";
}

/// <summary>The logits that another phase left, read by the sampling phases.</summary>
public sealed record LogitsValue(TensorType Type) : Value(Type)
{
    public override string Name => "$logits";
}

/// <summary>A weight tensor; its type is <c>[rows, columns]</c>, or <c>[matrices, rows, columns]</c> for stacked experts.</summary>
public sealed record WeightValue(WeightTensor Weight) : Value(Weight.TensorType)
{
    public override string Name => $"w\"{Weight.Key}\"";

    public bool Equals(WeightValue? other) => other is not null && (ReferenceEquals(Weight, other.Weight) || Weight == other.Weight);

    public override int GetHashCode() => Weight.Key.GetHashCode();
}

/// <summary>
/// The paged cache of a layer before this step wrote to it; its type is that of one row, as the runtime chooses how many
/// there are.
/// </summary>
public sealed record CacheValue(int Layer, TensorType Type) : Value(Type)
{
    public override string Name => $"cache.{Layer}";
}

/// <summary>What training keeps of a weight from step to step.</summary>
public enum WeightState
{
    /// <summary>The sum of the gradients of the step so far.</summary>
    Gradient,

    /// <summary>The weight as the optimizer sees it.</summary>
    Master,

    /// <summary>Running mean of the gradient (AdamW's m).</summary>
    FirstMoment,

    /// <summary>Running mean of its square (AdamW's v).</summary>
    SecondMoment,

    /// <summary>Running mean of the weight, in host memory (EMA).</summary>
    Average,

    /// <summary>Of a router's bias: how many tokens of the step chose each expert.</summary>
    Load,
}

/// <summary>State of a weight before this step, or before this op: ops that change it make a new value in the same place.</summary>
public sealed record StateValue(WeightTensor Weight, WeightState State, TensorType Type) : Value(Type)
{
    public override string Name => $"{Prefix}\"{Weight.Key}\"";

    private string Prefix => State switch
    {
        WeightState.FirstMoment => "m",
        WeightState.SecondMoment => "v",
        var other => other.ToString().ToLowerInvariant(),
    };

    public bool Equals(StateValue? other) =>
        other is not null && other.State == State && (ReferenceEquals(Weight, other.Weight) || Weight == other.Weight);

    public override int GetHashCode() => Weight.Key.GetHashCode() * 5 + (int)State;
}

/// <summary>The cos or sin table, f32 <c>[positions, rope_dim / 2]</c>.</summary>
public sealed record TableValue(PlanTable Table, TensorType Type) : Value(Type)
{
    public override string Name => Table == PlanTable.Cos ? "$cos" : "$sin";
}
