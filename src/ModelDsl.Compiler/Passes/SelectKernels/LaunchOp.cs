using System.Collections.Immutable;
using ModelDsl.Compiler.Graph;
using ModelDsl.Compiler.Kernels;

namespace ModelDsl.Compiler.Passes.SelectKernels;

/// <summary>An op with the kernel that computes it and what that is given, parameter by parameter.</summary>
/// <param name="Source">The op; its operands, results and rules still hold.</param>
/// <param name="Rows">Value of the kernel's row count, in the sizes of the step.</param>
public sealed record LaunchOp(Op Source, Kernel Kernel, ImmutableArray<LaunchArgument> Arguments, Dim Rows) : Op
{
    public override string Mnemonic => Source.Mnemonic;

    public override ImmutableArray<Value> Operands => Source.Operands;

    public override ImmutableArray<Value> Results => Source.Results;

    public override string Attributes => $"{Source.Attributes}{(Source.Attributes.Length > 0 ? " " : "")}by {Kernel.Name}";

    public override ImmutableArray<Sharing> Shares => Source.Shares;

    public override Op Map(Func<Value, Value> map) => this with
    {
        Source = Source.Map(map),
        Arguments = [.. Arguments.Select(argument => argument is TensorArgument tensor ? tensor.Map(map) : argument)],
    };

    /// <summary>The op's own rule, and every parameter gets what it is declared to take.</summary>
    public override void Check(TypeRule rule)
    {
        Source.Check(rule);
        var parameters = Kernel.Parameters;
        if (parameters.Length != Arguments.Length)
        {
            rule.Require(false, $"{Kernel.Name} has {parameters.Length} parameters and gets {Arguments.Length} arguments");
            return;
        }

        for (var i = 0; i < parameters.Length; i++) CheckArgument(rule, parameters[i], Arguments[i]);
    }

    private void CheckArgument(TypeRule rule, KernelParameter parameter, LaunchArgument argument)
    {
        switch (argument)
        {
            case SizeArgument when parameter.Kind != ParameterKind.Int32:
                rule.Require(false, $"{Kernel.Name} takes {parameter.Kind} '{parameter.Name}' and gets a size");
                break;
            case TensorArgument tensor:
                var isNumber = parameter.Kind is ParameterKind.Int32 or ParameterKind.Float32;
                if (isNumber != (tensor.Value.Type.Rank == 0))
                    rule.Require(
                        false, $"{Kernel.Name} takes {parameter.Kind} '{parameter.Name}' and gets {tensor.Value} : {tensor.Value.Type}");
                if (parameter.Type != tensor.Type)
                    rule.Require(
                        false,
                        $"{Kernel.Name} takes {parameter.Type.Text()} '{parameter.Name}' and gets {tensor.Type.Text()} of {tensor.Value}");
                if (parameter.Kind == ParameterKind.Output != Results.Contains(tensor.Value))
                    rule.Require(false, $"{Kernel.Name} has {parameter.Kind} '{parameter.Name}' for {tensor.Value}");
                break;
        }
    }
}

/// <summary>What a launch passes for one parameter. Closed.</summary>
public abstract record LaunchArgument;

/// <summary>The address of a value or of its scales; the number itself where the value has rank 0.</summary>
public sealed record TensorArgument(Value Value, bool Scales = false) : LaunchArgument
{
    public DType Type => Scales ? DType.F32 : Value.Type.Type;

    public TensorArgument Map(Func<Value, Value> map) => this with { Value = map(Value) };
}

/// <summary>A number that follows from the sizes of the step.</summary>
public sealed record SizeArgument(Dim Size) : LaunchArgument;
