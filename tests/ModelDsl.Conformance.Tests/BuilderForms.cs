using System.Reflection;
using System.Runtime.CompilerServices;
using ModelDsl.Ptx;
using ModelDsl.Ptx.Memory;
using ModelDsl.Ptx.Targets;
using ModelDsl.Ptx.Values;

namespace ModelDsl.Conformance.Tests;

/// <summary>
/// The forms that the PTX builder can write: every public method and operator, on values of every type, with every hint, count and flag.
/// A new method is found by itself; one that takes an unknown kind of argument, or code to run, is left to what the compiler emits.
/// </summary>
internal static class BuilderForms
{
    private static readonly Type[] Values = [.. typeof(Value).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(Value)))];

    private static readonly MmaShape[] Shapes =
        [.. typeof(MmaShape).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (MmaShape)field.GetValue(null)!)];

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly ConditionalWeakTable<KernelBuilder, StrongBox<int>> Serials = [];

    /// <summary>Form to the member that writes it. Guards are left out: they go with any instruction.</summary>
    public static IReadOnlyDictionary<string, string> All()
    {
        var forms = new Dictionary<string, string>();
        foreach (var (name, write) in Members().SelectMany(member => member))
            foreach (var form in FormsOf(write).Select(Forms.Unguarded))
                forms.TryAdd(form, name);
        return forms;
    }

    /// <summary>Nothing where the builder refuses.</summary>
    private static IReadOnlyList<string> FormsOf(Action<KernelBuilder> write)
    {
        try
        {
            return Forms.In(PtxKernel.Write(PtxTarget.Sm90a, "k", write).ToText());
        }
        catch (Exception refusal) when (refusal is PtxException or TargetInvocationException { InnerException: PtxException })
        {
            return [];
        }
    }

    private static IEnumerable<IEnumerable<(string, Action<KernelBuilder>)>> Members()
    {
        foreach (var method in typeof(KernelBuilder).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            foreach (var closed in Closed(method))
                yield return Calls(closed, k => k);
        foreach (var type in Values)
            foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Where(m => m.IsSpecialName))
                yield return Calls(method, _ => null);
        foreach (var type in Values.Where(type => type != typeof(Pred)))
            foreach (var pointer in new[] { typeof(GlobalPtr<>), typeof(SharedPtr<>) })
                foreach (var method in pointer.MakeGenericType(type).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
                    if (method.DeclaringType!.IsGenericType && !method.IsGenericMethod)
                        yield return Calls(method, k => method.IsStatic ? null : Pointer(k, pointer, type));
    }

    private static IEnumerable<MethodInfo> Closed(MethodInfo method) =>
        !method.IsGenericMethod ? [method]
        : method.GetGenericArguments().Length == 1 ? Values.Select(type => method.MakeGenericMethod(type))
        : [method.MakeGenericMethod(typeof(B32), typeof(B32))];

    /// <summary>The method with every combination of arguments, its results stored so that nothing is dropped.</summary>
    private static IEnumerable<(string, Action<KernelBuilder>)> Calls(MethodInfo method, Func<KernelBuilder, object?> self)
    {
        var combinations = new List<Func<KernelBuilder, object?>[]> { Array.Empty<Func<KernelBuilder, object?>>() };
        foreach (var parameter in method.GetParameters())
        {
            var choices = Choices(parameter.ParameterType, parameter.Name!).ToList();
            if (choices.Count > 0 && Nullability.Create(parameter).ReadState == NullabilityState.Nullable) choices.Add(_ => null);
            combinations = [.. combinations.SelectMany(start => choices.Select(choice => (Func<KernelBuilder, object?>[])[.. start, choice]))];
        }
        foreach (var combination in combinations)
            yield return ($"{method.DeclaringType!.Name}.{method.Name}", k =>
            {
                var target = self(k);
                Keep(k, method.Invoke(target, [.. combination.Select(choice => choice(k))]));
            });
    }

    /// <summary>What to try for a parameter; nothing for a kind that is not known.</summary>
    private static IEnumerable<Func<KernelBuilder, object?>> Choices(Type type, string name)
    {
        if (type.IsSubclassOf(typeof(Value))) return [k => Of(k, type, name)];
        if (type == typeof(int))
            return new[] { 1, 2, 4, 8, 16 }.Select(number => (Func<KernelBuilder, object?>)(_ => name == "threads" ? 32 * number : number));
        if (type == typeof(uint)) return [_ => 0xFFFFFFFF];
        if (type == typeof(byte)) return [_ => (byte)0x96];
        if (type == typeof(bool)) return [_ => false, _ => true];
        if (type == typeof(string)) return [_ => name];
        if (type.IsEnum) return Enum.GetValues(type).Cast<object>().Select(value => (Func<KernelBuilder, object?>)(_ => value));
        if (type == typeof(MmaShape)) return Shapes.Select(shape => (Func<KernelBuilder, object?>)(_ => shape));
        if (type == typeof(Var<F32>[])) return [k => k.Vars<F32>(4, 0f)];
        if (type.IsArray && type.GetElementType()!.IsSubclassOf(typeof(Value)))
            return [k => Many(k, type.GetElementType()!, name == "b" ? 2 : 4)];
        if (!type.IsGenericType) return [];
        var (definition, argument) = (type.GetGenericTypeDefinition(), type.GetGenericArguments()[0]);
        if (definition == typeof(GlobalPtr<>) || definition == typeof(SharedPtr<>)) return [k => Pointer(k, definition, argument)];
        if (definition != typeof(IReadOnlyList<>) || !argument.IsSubclassOf(typeof(Value))) return [];
        return new[] { 1, 2, 4 }.Where(count => count * Size(argument) <= 16)
            .Select(count => (Func<KernelBuilder, object?>)(k => Many(k, argument, count)));
    }

    private static int Size(Type value) => (int)Description(value, "Bytes");

    private static object Description(Type value, string property)
    {
        var type = typeof(Element<>).MakeGenericType(value);
        return type.GetProperty(property)!.GetValue(type.GetProperty("Value")!.GetValue(null))!;
    }

    /// <summary>A value of the type that nobody knows beforehand.</summary>
    private static object Of(KernelBuilder k, Type type, string name)
    {
        if (type == typeof(Pred)) return k.LaneId < k.S32Param(name + Serial(k));
        var pointer = Pointer(k, typeof(GlobalPtr<>), type);
        return pointer.GetType().GetMethod("Load")!.Invoke(pointer, [null, ModelDsl.Ptx.Memory.LoadHint.Volatile])!;
    }

    private static Array Many(KernelBuilder k, Type type, int count)
    {
        var values = Array.CreateInstance(type, count);
        for (var n = 0; n < count; n++) values.SetValue(Of(k, type, "v"), n);
        return values;
    }

    private static object Pointer(KernelBuilder k, Type pointer, Type type)
    {
        var maker = typeof(KernelBuilder).GetMethod(pointer == typeof(GlobalPtr<>) ? nameof(KernelBuilder.GlobalPtrParam) : nameof(KernelBuilder.Shared))!;
        object?[] arguments = pointer == typeof(GlobalPtr<>) ? ["g" + Serial(k)] : ["s" + Serial(k), 64, 16];
        return maker.MakeGenericMethod(type).Invoke(k, arguments)!;
    }

    private static int Serial(KernelBuilder k) => ++Serials.GetOrCreateValue(k).Value;

    private static void Keep(KernelBuilder k, object? result)
    {
        switch (result)
        {
            case Pred p:
                Keep(k, k.ToS32(p));
                break;
            case Value { IsConstant: false } value:
                var pointer = Pointer(k, typeof(GlobalPtr<>), value.GetType());
                pointer.GetType().GetMethod("Store")!.Invoke(pointer, [value, null]);
                break;
            case ITuple tuple:
                for (var n = 0; n < tuple.Length; n++) Keep(k, tuple[n]);
                break;
            case Array array:
                foreach (var item in array) Keep(k, item);
                break;
        }
    }
}
