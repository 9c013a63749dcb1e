using ModelDsl.Runtime.VirtualGpu.Instructions;
using ModelDsl.Runtime.VirtualGpu.Memory;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu.Decoding;

/// <summary>Finds the load or store made for a space, an element and a count. Each is only compiled when a kernel uses it.</summary>
internal static unsafe class LoadStoreHandlers
{
    public static Handler Find(bool isLoad, StateSpace space, bool isWideAddress, PtxType type, PtxType register, int count) => space switch
    {
        StateSpace.Global or StateSpace.Const => InSpace<GlobalSpace>(isLoad, type, register, count),
        StateSpace.Shared when !isWideAddress => InSpace<SharedSpace>(isLoad, type, register, count),
        StateSpace.Shared => InSpace<SharedSpace64>(isLoad, type, register, count),
        StateSpace.Local => InSpace<LocalSpace>(isLoad, type, register, count),
        StateSpace.Param => isLoad ? InSpace<ParameterSpace>(isLoad, type, register, count) : null,
        _ => InSpace<GenericSpace>(isLoad, type, register, count),
    };

    public static Handler Parameter(PtxType type, PtxType register, int count) => Element(default(ParameterPick), type, register, count);

    private static Handler InSpace<TSpace>(bool isLoad, PtxType type, PtxType register, int count)
        where TSpace : struct, ISpace =>
        isLoad ? Element(default(LoadPick<TSpace>), type, register, count) : Element(default(StorePick<TSpace>), type, register, count);

    private static Handler Element<TPick>(TPick pick, PtxType type, PtxType register, int count)
        where TPick : struct, IPick
    {
        bool signed = type.IsSigned();
        return (type.Size(), register.Size()) switch
        {
            (4, 4) => Count<TPick, Word32>(count),
            (8, 8) => Count<TPick, Word64>(count),
            (2, 2) => Count<TPick, Narrow<ushort, ushort>>(count),
            (1, 2) => signed ? Count<TPick, Narrow<sbyte, ushort>>(count) : Count<TPick, Narrow<byte, ushort>>(count),
            (1, 1) => Count<TPick, Narrow<byte, ushort>>(count),
            (1, 4) => signed ? Count<TPick, Narrow<sbyte, uint>>(count) : Count<TPick, Narrow<byte, uint>>(count),
            (2, 4) => signed ? Count<TPick, Narrow<short, uint>>(count) : Count<TPick, Narrow<ushort, uint>>(count),
            (1, 8) => signed ? Count<TPick, Narrow<sbyte, ulong>>(count) : Count<TPick, Narrow<byte, ulong>>(count),
            (2, 8) => signed ? Count<TPick, Narrow<short, ulong>>(count) : Count<TPick, Narrow<ushort, ulong>>(count),
            (4, 8) => signed ? Count<TPick, Narrow<int, ulong>>(count) : Count<TPick, Narrow<uint, ulong>>(count),
            _ => null,
        };
    }

    private static Handler Count<TPick, TElement>(int count)
        where TPick : struct, IPick
        where TElement : struct, IElement =>
        count == 1 ? TPick.Pick<TElement, One>() : count == 2 ? TPick.Pick<TElement, Two>() : TPick.Pick<TElement, Four>();

    private interface IPick
    {
        static abstract Handler Pick<TElement, TCount>()
            where TElement : struct, IElement
            where TCount : struct, ICount;
    }

    private readonly struct LoadPick<TSpace> : IPick
        where TSpace : struct, ISpace
    {
        public static Handler Pick<TElement, TCount>()
            where TElement : struct, IElement
            where TCount : struct, ICount => &LoadStore.Load<TSpace, TElement, TCount>;
    }

    private readonly struct StorePick<TSpace> : IPick
        where TSpace : struct, ISpace
    {
        public static Handler Pick<TElement, TCount>()
            where TElement : struct, IElement
            where TCount : struct, ICount => &LoadStore.Store<TSpace, TElement, TCount>;
    }

    private readonly struct ParameterPick : IPick
    {
        public static Handler Pick<TElement, TCount>()
            where TElement : struct, IElement
            where TCount : struct, ICount => &LoadStore.LoadParameter<TElement, TCount>;
    }
}
