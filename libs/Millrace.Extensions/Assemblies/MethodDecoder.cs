using System.Reflection;
using System.Text;
using Millrace.Primitives;
using Millrace.Saql.Extensions;

namespace Millrace.Extensions.Assemblies;

/// <summary>A static method as a format of bodies.</summary>
internal sealed class MethodDecoder : IBodyDecoder
{
    private readonly string _name;
    private readonly BoundedCalls _calls;
    private readonly LostCalls _lost = new();
    private readonly MethodInvoker _method;
    private readonly bool _takesArray;
    private readonly bool _takesContentType;

    /// <param name="name">The media type that it is for.</param>
    public MethodDecoder(string name, MethodInfo method, BoundedCalls calls)
    {
        var types = method.GetParameters().Select(parameter => parameter.ParameterType).ToArray();
        var takesBody = types.Length > 0 && (types[0] == typeof(byte[]) || types[0] == typeof(ReadOnlyMemory<byte>));
        var fits = takesBody && (types.Length == 1 || (types.Length == 2 && types[1] == typeof(string)))
            && (method.ReturnType == typeof(byte[]) || method.ReturnType == typeof(string));
        if (!fits)
        {
            throw ExtensionErrors.MethodUnsuitable.With($"{method.DeclaringType}.{method.Name}",
                "A decoder takes byte[] or ReadOnlyMemory<byte>, then perhaps a string, and gives byte[] or string.")
                .AsException();
        }

        (_name, _calls) = (name, calls);
        _method = MethodInvoker.Create(method);
        _takesArray = types[0] == typeof(byte[]);
        _takesContentType = types.Length == 2;
    }

    public byte[] ToJson(ReadOnlyMemory<byte> body, string contentType)
    {
        object content = _takesArray ? body.ToArray() : (object)body;
        object? json;
        try
        {
            json = _calls.Call(_name, _lost, Invoke, _takesContentType ? [content, contentType] : [content]);
        }
        catch (Exception failure) when (failure is MillraceException or InvalidOperationException)
        {
            throw new FormatException($"The decoder failed: {failure.Message}", failure);
        }

        return json switch
        {
            byte[] bytes => bytes,
            string text => Encoding.UTF8.GetBytes(text),
            _ => throw new FormatException("The decoder gave nothing."),
        };
    }

    private object? Invoke(object?[] arguments) => _method.Invoke(null, arguments.AsSpan());
}
