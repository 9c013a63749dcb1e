using System.Numerics;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Runtime.VirtualGpu.Instructions;

/// <summary>What tensor copies do instead of storing: each element of memory becomes the sum (minimum, …) of itself and the tile's.</summary>
internal static unsafe class TensorReduction
{
    public static void Run(TensorCopyKind kind, TensorMapElement element, byte* global, byte* shared, int count)
    {
        switch (element)
        {
            case TensorMapElement.F16:
                for (int n = 0; n < count; n++) ((Half*)global)[n] = (Half)Float(kind, (float)((Half*)global)[n], (float)((Half*)shared)[n]);
                break;
            case TensorMapElement.BF16:
                for (int n = 0; n < count; n++)
                {
                    float sum = Float(kind, Widen(((ushort*)global)[n]), Widen(((ushort*)shared)[n]));
                    ((ushort*)global)[n] = (ushort)VectorFormats.ToBF16(System.Runtime.Intrinsics.Vector512.CreateScalar(sum))[0];
                }
                break;
            case TensorMapElement.F64:
                for (int n = 0; n < count; n++) ((double*)global)[n] = Number(kind, ((double*)global)[n], ((double*)shared)[n]);
                break;
            case TensorMapElement.F32 or >= TensorMapElement.F32Flushed:
                for (int n = 0; n < count; n++) ((float*)global)[n] = Float(kind, ((float*)global)[n], ((float*)shared)[n]);
                break;
            case TensorMapElement.S32:
                Integers<int>(kind, global, shared, count);
                break;
            case TensorMapElement.S64:
                Integers<long>(kind, global, shared, count);
                break;
            case TensorMapElement.U64:
                Integers<ulong>(kind, global, shared, count);
                break;
            case TensorMapElement.U32:
                Integers<uint>(kind, global, shared, count);
                break;
            case TensorMapElement.U16:
                Integers<ushort>(kind, global, shared, count);
                break;
            default:
                Integers<byte>(kind, global, shared, count);
                break;
        }
    }

    private static float Widen(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static float Float(TensorCopyKind kind, float a, float b) => Number(kind, a, b);

    private static T Number<T>(TensorCopyKind kind, T a, T b)
        where T : INumber<T> => kind switch
        {
            TensorCopyKind.Min => T.MinNumber(a, b),
            TensorCopyKind.Max => T.MaxNumber(a, b),
            _ => a + b,
        };

    private static void Integers<T>(TensorCopyKind kind, byte* global, byte* shared, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        T* to = (T*)global, from = (T*)shared;
        for (int n = 0; n < count; n++)
        {
            to[n] = kind switch
            {
                TensorCopyKind.And => to[n] & from[n],
                TensorCopyKind.Or => to[n] | from[n],
                TensorCopyKind.Xor => to[n] ^ from[n],
                _ => Number(kind, to[n], from[n]),
            };
        }
    }
}
