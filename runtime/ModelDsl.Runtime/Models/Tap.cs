using ModelDsl.Runtime.Checkpoints;

namespace ModelDsl.Runtime.Models;

/// <summary>An intermediate tensor of the last step, still on the device.</summary>
/// <param name="Name">Its stable name: <c>hidden.3</c>, <c>router.2.weights</c>.</param>
/// <param name="Address">On the device; valid until the next step.</param>
/// <param name="Type">F32, BF16 or I32.</param>
/// <param name="Shape">Rows of the step first.</param>
public sealed record Tap(string Name, ulong Address, StorageType Type, params long[] Shape)
{
    public long Bytes => Shape.Aggregate((long)Type.Bytes(), (bytes, size) => bytes * size);
}
