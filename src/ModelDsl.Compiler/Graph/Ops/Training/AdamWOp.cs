using System.Collections.Immutable;
using System.Globalization;
using ModelDsl.Compiler.Specs;

namespace ModelDsl.Compiler.Graph.Ops.Training;

/// <summary>
/// A step of AdamW with decoupled weight decay (arXiv 1711.05101), in place. With <c>g</c> the gradient times
/// <c>min(1, clip / (norm + 1e-6))</c> and <c>t</c> the number of the step:
/// <c>m = beta1 m + (1 - beta1) g</c>, <c>v = beta2 v + (1 - beta2) g²</c>,
/// <c>w = w (1 - rate decay) - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)</c>. All of one shape; norm and rate are f32
/// numbers, the step is an i32.
/// </summary>
/// <param name="Norm">Of all gradients together; null: nothing is clipped.</param>
/// <param name="Decays">Matrices do, vectors do not.</param>
public sealed record AdamWOp(
    Value Gradient, Value Master, Value First, Value Second, Value? Norm, Value Rate, Value Step, OptimizerSpec Optimizer, bool Decays,
    Value MasterAfter, Value FirstAfter, Value SecondAfter) : Op
{
    public override string Mnemonic => "adamw";

    public override ImmutableArray<Value> Operands => Values.Present(Gradient, Master, First, Second, Norm, Rate, Step);

    public override ImmutableArray<Value> Results => [MasterAfter, FirstAfter, SecondAfter];

    public override string Attributes
    {
        get
        {
            static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
            var clip = Norm is null ? "" : $" clip={Text(Optimizer.Clip ?? double.PositiveInfinity)}";
            return $"beta1={Text(Optimizer.Beta1)} beta2={Text(Optimizer.Beta2)} epsilon={Text(Optimizer.Epsilon)}"
                + $" decay={(Decays ? Text(Optimizer.WeightDecay) : "0")}{clip}";
        }
    }

    public override ImmutableArray<Sharing> Shares =>
    [
        new(MasterAfter, Master, SharingKind.InPlace), new(FirstAfter, First, SharingKind.InPlace), new(SecondAfter, Second, SharingKind.InPlace),
    ];

    public override bool ChangesState => true;

    public override Op Map(Func<Value, Value> map) => this with
    {
        Gradient = map(Gradient), Master = map(Master), First = map(First), Second = map(Second), Norm = map.MapOptional(Norm),
        Rate = map(Rate), Step = map(Step),
        MasterAfter = map(MasterAfter), FirstAfter = map(FirstAfter), SecondAfter = map(SecondAfter),
    };

    public override void Check(TypeRule rule)
    {
        rule.Type("gradient", Gradient, DType.F32);
        rule.Type("master", Master, DType.F32);
        rule.Activation("first moment", First);
        rule.Activation("second moment", Second);
        rule.SameShape("gradient and master", Gradient, Master);
        rule.SameShape("master and first moment", Master, First);
        rule.SameShape("master and second moment", Master, Second);
        rule.Require(MasterAfter.Type.Equals(Master.Type), "the weight keeps its type");
        rule.Require(FirstAfter.Type.Equals(First.Type) && SecondAfter.Type.Equals(Second.Type), "moments keep their types");
        rule.Type("step", Step, DType.I32);
        rule.Shape("rate", Rate);
        if (Norm is not null) rule.Shape("norm", Norm);
    }
}
