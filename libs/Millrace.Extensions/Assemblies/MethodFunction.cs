using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Saql.Extensions;

namespace Millrace.Extensions.Assemblies;

/// <summary>A static method as a function of the language.</summary>
internal sealed class MethodFunction
{
    private static readonly Dictionary<Type, UserType> TypesTaken = new()
    {
        [typeof(long)] = UserType.Integer,
        [typeof(int)] = UserType.Integer,
        [typeof(double)] = UserType.Float,
        [typeof(float)] = UserType.Float,
        [typeof(decimal)] = UserType.Float,
        [typeof(string)] = UserType.Text,
        [typeof(bool)] = UserType.Bit,
        [typeof(DateTime)] = UserType.DateTime,
        [typeof(DateTimeOffset)] = UserType.DateTime,
        [typeof(JsonElement)] = UserType.Any,
        [typeof(JsonNode)] = UserType.Any,
        [typeof(object)] = UserType.Any,
    };

    private readonly MethodInvoker _method;
    private readonly Type[] _types;

    private MethodFunction(MethodInfo method)
    {
        _method = MethodInvoker.Create(method);
        _types = [.. method.GetParameters().Select(parameter => Plain(parameter.ParameterType))];
    }

    public static UserFunction Of(string name, MethodInfo method, BoundedCalls calls)
    {
        var parameters = method.GetParameters();
        if (parameters.Length > UserFunction.ParametersMax)
            throw Unsuitable(method, $"It has more than {UserFunction.ParametersMax} parameters.");
        if (method.IsGenericMethod) throw Unsuitable(method, "It is generic.");
        if (method.ReturnType == typeof(void) || typeof(Task).IsAssignableFrom(method.ReturnType))
            throw Unsuitable(method, "It gives no value, or a task.");
        var strange = parameters.FirstOrDefault(one => !TypesTaken.ContainsKey(Plain(one.ParameterType)));
        if (strange is not null)
        {
            throw Unsuitable(method, $"{strange.Name} is a {strange.ParameterType.Name}; expected one of "
                + $"{string.Join(", ", TypesTaken.Keys.Select(type => type.Name))}.");
        }

        var function = new MethodFunction(method);
        var lost = new LostCalls();
        return new UserFunction(name, [.. function._types.Select(type => TypesTaken[type])],
            TakesNull: parameters.All(TakesNull), arguments => calls.Call(name, lost, function.Invoke, arguments));
    }

    private object? Invoke(object?[] arguments)
    {
        for (var i = 0; i < arguments.Length; i++) arguments[i] = Taken(arguments[i], _types[i]);
        return Given(_method.Invoke(null, arguments.AsSpan()));
    }

    private static object? Taken(object? value, Type type)
    {
        if (value is null) return null;
        if (type == typeof(JsonElement)) return value is JsonElement ? value : JsonSerializer.SerializeToElement(value);
        if (type == typeof(JsonNode)) return JsonSerializer.SerializeToNode(value);
        if (type == typeof(DateTimeOffset)) return new DateTimeOffset((DateTime)value);
        return type == typeof(object) ? value : Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
    }

    private static object? Given(object? value) => value switch
    {
        null or bool or long or double or string or DateTime or JsonElement => value,
        int or short or byte or sbyte or ushort or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        float or decimal => Convert.ToDouble(value, CultureInfo.InvariantCulture),
        DateTimeOffset time => time.UtcDateTime,
        _ => JsonSerializer.SerializeToElement(value),
    };

    private static bool TakesNull(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return type.IsValueType
            ? Nullable.GetUnderlyingType(type) is not null
            : new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
    }

    private static Type Plain(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static Exception Unsuitable(MethodInfo method, string why) =>
        ExtensionErrors.MethodUnsuitable.With($"{method.DeclaringType}.{method.Name}", why).AsException();
}
