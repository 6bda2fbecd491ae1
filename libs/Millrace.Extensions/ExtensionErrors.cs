using Millrace.Primitives;

namespace Millrace.Extensions;

/// <summary>Errors of what an installation adds to the query language.</summary>
public static class ExtensionErrors
{
    public static readonly ErrorDefinition MethodMissing = new("EX-0001",
        "The method of an extension cannot be found.",
        "The file is no .NET assembly that can be read here, or has no such public type or method.",
        "Write FILE.dll::Namespace.Type.Method, and give the process access to the file.");

    public static readonly ErrorDefinition MethodUnsuitable = new("EX-0002",
        "The method does not fit its purpose.",
        "A function is static, takes and gives values of the language; a decoder takes a body and gives JSON.",
        "Change the method as the message and docs/queries.md say.");

    public static readonly ErrorDefinition DescriptorInvalid = new("EX-0003",
        "The Protobuf descriptors cannot be read.",
        "The file is missing or no FileDescriptorSet, or lacks a file that it imports.",
        "Write it with protoc --include_imports --descriptor_set_out=FILE.");

    public static readonly ErrorDefinition NameInvalid = new("EX-0004",
        "The name of an extension is not valid.",
        "That of a function or reference data is a word of the language, a decoder's a media type without parameters.",
        "Use letters, digits and _ for a function or reference data; type/subtype for a decoder.");

    public static readonly ErrorDefinition CallTimedOut = new("EX-0005",
        "A user function took too long.",
        "A call did not return within Queries:Extensions:FunctionTimeout. It is left behind; its row failed.",
        "Make the function faster, or raise the option.");

    public static readonly ErrorDefinition CallTooLarge = new("EX-0006",
        "A user function took too much memory.",
        "One call allocated more than Queries:Extensions:FunctionBytesMax.",
        "Allocate less in the function, or raise the option.");

    public static readonly ErrorDefinition FunctionStopped = new("EX-0007",
        "A user function is not called any more.",
        "Queries:Extensions:FunctionCallsLostMax of its calls did not return.",
        "Mend the function and restart the process.");

    public static readonly ErrorDefinition ReferenceInvalid = new("EX-0008",
        "The options of reference data do not fit together.",
        "Reference data is objects of the object store, the rows of an output, or the latest values of devices.",
        "Set one of Objects, Output and Latest; Key goes with Output.");
}
