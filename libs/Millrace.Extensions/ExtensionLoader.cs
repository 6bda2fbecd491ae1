using System.Text.RegularExpressions;
using Millrace.Extensions.Assemblies;
using Millrace.Extensions.Protobuf;
using Millrace.Saql;
using Millrace.Saql.Extensions;

namespace Millrace.Extensions;

/// <summary>Options to what the query language takes.</summary>
internal static partial class ExtensionLoader
{
    public static QueryExtensions Load(
        QueryExtensionOptions options, ExtensionMetrics metrics, PlanLimits? limits = null)
    {
        var calls = new BoundedCalls(
            options.FunctionTimeout, options.FunctionBytesMax, options.FunctionCallsLostMax, metrics);
        var methods = new AssemblyMethods();
        var functions = options.Functions
            .Select(one => MethodFunction.Of(Checked(one.Key, Word()), methods.Find(one.Value), calls));
        var decoders = options.Decoders.ToDictionary(one => Checked(one.Key, MediaType()),
            IBodyDecoder (one) => new MethodDecoder(one.Key, methods.Find(one.Value), calls),
            StringComparer.OrdinalIgnoreCase);
        if (options.Descriptors.Count > 0) AddProtobuf(decoders, options.Descriptors);
        foreach (var (name, reference) in options.References) Check(Checked(name, Word()), reference);
        return new QueryExtensions(functions, decoders, options.ContentTypes, [.. options.References.Keys])
        {
            Limits = limits ?? PlanLimits.Default,
        };
    }

    private static void AddProtobuf(Dictionary<string, IBodyDecoder> decoders, IReadOnlyList<string> files)
    {
        // A file that two sets include is in both of them.
        var messages = files.SelectMany(DescriptorFile.Read).GroupBy(message => message.FullName)
            .ToDictionary(same => same.Key, same => same.First());
        foreach (var type in ProtobufDecoder.MediaTypes) decoders.TryAdd(type, new ProtobufDecoder(messages));
    }

    private static void Check(string name, ReferenceOptions options)
    {
        var set = (options.Objects is null ? 0 : 1) + (options.Output is null ? 0 : 1) + (options.Latest ? 1 : 0);
        if (name.Equals(CompileOptions.Devices, StringComparison.OrdinalIgnoreCase))
            throw ExtensionErrors.NameInvalid.With(name, "It is there already.").AsException();
        if (set != 1) throw Unfit("One of Objects, Output and Latest is set.");
        if (options.Key.Count > 0 && options.Output is null) throw Unfit("Key is of an Output.");

        Exception Unfit(string why) => ExtensionErrors.ReferenceInvalid.With(name, why).AsException();
    }

    private static string Checked(string name, Regex form) =>
        form.IsMatch(name) ? name : throw ExtensionErrors.NameInvalid.With(name).AsException();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Word();

    [GeneratedRegex("^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")]
    private static partial Regex MediaType();
}
