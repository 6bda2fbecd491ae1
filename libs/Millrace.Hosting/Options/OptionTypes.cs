namespace Millrace.Hosting.Options;

internal static class OptionTypes
{
    /// <summary>The options that a property holds, one or a list of them; null when it holds plain values.</summary>
    public static Type? Nested(Type type)
    {
        var inner = type.IsGenericType ? type.GetGenericArguments()[^1] : type;
        return inner.IsClass && inner.Assembly.GetName().Name!.StartsWith("Millrace", StringComparison.Ordinal)
            ? inner
            : null;
    }

    public static bool IsList(Type type) => type.IsGenericType;
}
