using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using Millrace.Saql.Expressions;
using Millrace.Saql.Extensions;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Tests;

/// <summary>Whoever walks over an expression meets all that it holds.</summary>
public class ExpressionPartsTests
{
    [Test]
    public void An_expression_tells_all_expressions_that_it_holds()
    {
        var kinds = new HashSet<Type>();
        foreach (var value in Expr.Within(Readers().SelectMany(reader => reader.Reads)))
        {
            kinds.Add(value.GetType());
            Assert.That(HeldBy(value).Except(Expr.Within([value])), Is.Empty, value.GetType().Name);
        }

        Assert.That(kinds, Has.Count.GreaterThan(25));
    }

    [Test]
    public void A_reader_tells_all_expressions_that_it_holds()
    {
        var kinds = new HashSet<Type>();
        foreach (var reader in Readers())
        {
            kinds.Add(reader.GetType());
            var values = reader.GetType().GetProperty("Values")?.GetValue(reader) as IEnumerable<Expr> ?? [];
            Assert.That(HeldBy(reader).Concat(values).Except(Expr.Within(reader.Reads)), Is.Empty,
                reader.GetType().Name);
        }

        Assert.That(kinds, Has.Count.EqualTo(6));
    }

    [Test]
    public void What_parts_an_input_is_computed_once_for_an_event()
    {
        var calls = 0;
        var counted = new UserFunction("Room", [UserType.Text], TakesNull: false, given =>
        {
            calls++;
            return given[0];
        });
        var extensions = new QueryExtensions([counted], new Dictionary<string, IBodyDecoder>(),
            new Dictionary<string, string>(), []);
        var plan = QueryRun.Compile("SELECT v FROM telemetry TIMESTAMP BY at OVER UDF.Room(room)",
            new CompileOptions(Extensions: extensions));
        string[] lines = ["""{"room":"a","v":1,"at":"2026-01-01T00:00:01Z"}"""];
        var run = QueryRun.Over(plan, new Dictionary<string, IEnumerable<string>> { [QueryRun.Topic] = lines });
        Assert.That(run.Rows, Has.Count.EqualTo(1));
        Assert.That(calls, Is.EqualTo(1));
    }

    /// <summary>All that the examples have.</summary>
    private static IEnumerable<IReader> Readers()
    {
        foreach (var example in Example.All())
        {
            var parts = QueryRun.Compile(
                example.Query, example.Extensions.CompileOptions([.. example.References.Keys])).Parts;
            foreach (var root in parts.Feeds.Concat<RowRoot>(parts.Operators))
            {
                foreach (var reader in root.Outputs.Concat<IReader>(root.Inlets).Concat(root.Analytics))
                    yield return reader;
            }
        }
    }

    /// <summary>Expressions in fields, also in arrays and pairs; not those of another part of the plan.</summary>
    private static IEnumerable<Expr> HeldBy(object holder) => FieldsOf(holder.GetType())
        .Where(field => holder is Expr || field.FieldType != typeof(OperatorPlan))
        .SelectMany(field => ExpressionsIn(field.GetValue(holder)));

    private static IEnumerable<FieldInfo> FieldsOf(Type? type) => type is null
        ? []
        : type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)
            .Concat(FieldsOf(type.BaseType));

    private static IEnumerable<Expr> ExpressionsIn(object? value) => value switch
    {
        Expr one => [one],
        OutputColumn column => column.Parts.Append(column.Value).Concat(column.Stars),
        ITuple pair => Enumerable.Range(0, pair.Length).SelectMany(i => ExpressionsIn(pair[i])),
        string => [],
        IEnumerable many => many.Cast<object?>().SelectMany(ExpressionsIn),
        _ => [],
    };
}
