namespace ModelDsl.Simulation.Overlap;

/// <summary>How long the parts of one layer take for one micro-batch, seconds (V3 report, section 3.2.1).</summary>
/// <param name="MlpBackward">Gradient of the experts' inputs.</param>
/// <param name="MlpWeight">Gradient of their weights.</param>
/// <param name="DispatchForward">Tokens to their experts.</param>
/// <param name="DispatchBackward">The gradients of those tokens back: a combine.</param>
/// <param name="CombineForward">Results back to their tokens.</param>
/// <param name="CombineBackward">Their gradients to the experts: a dispatch.</param>
public sealed record LayerTimes(
    double AttentionForward, double MlpForward, double MlpBackward, double MlpWeight, double AttentionBackward, double AttentionWeight,
    double DispatchForward, double DispatchBackward, double CombineForward, double CombineBackward)
{
    public double ComputeForward => AttentionForward + MlpForward;

    public double ComputeBackwardInput => MlpBackward + AttentionBackward;

    public double ComputeWeight => MlpWeight + AttentionWeight;

    public double Compute => ComputeForward + ComputeBackwardInput + ComputeWeight;

    public double Communication => DispatchForward + DispatchBackward + CombineForward + CombineBackward;

    /// <summary>Nothing at the same time.</summary>
    public double Forward => ComputeForward + DispatchForward + CombineForward;

    /// <summary>Nothing at the same time, weight gradients apart.</summary>
    public double BackwardInput => ComputeBackwardInput + DispatchBackward + CombineBackward;
}
