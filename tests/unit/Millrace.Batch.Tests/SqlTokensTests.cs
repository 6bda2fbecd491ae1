using CsCheck;
using Millrace.Batch.Sql;

namespace Millrace.Batch.Tests;

public sealed class SqlTokensTests
{
    [TestCase("SELECT a.b", "Word SELECT|Space  |Word a|Other .|Word b")]
    [TestCase("'it''s' \"a\"\"b\"", "Text it's|Space  |QuotedName a\"b")]
    [TestCase("x>$from", "Word x|Other >|Parameter from")]
    [TestCase("1e5+a1", "Other 1e5|Other +|Word a1")]
    [TestCase("a--b\nc/*d/*e*/f*/g", "Word a|Space  |Space  |Word c|Space  |Word g")]
    [TestCase("'open", "Text open")]
    [TestCase("/*open", "Space  ")]
    [TestCase("$1 $$", "Other $|Other 1|Space  |Other $|Other $")]
    public void Words_are_cut(string sql, string tokens) =>
        Assert.That(string.Join('|', SqlTokens.Of(sql).Select(token => $"{token.Kind} {token.Value}")),
            Is.EqualTo(tokens));

    [TestCase("SELECT 1 ; -- done;\n ;", "SELECT 1")]
    [TestCase("SELECT ';' /* ; */ ", "SELECT ';'")]
    [TestCase(" ; ", "")]
    public void A_statement_ends_before_semicolons_and_comments(string sql, string statement) =>
        Assert.That(SqlTokens.WithoutEnd(sql), Is.EqualTo(statement));

    [Test]
    public void Any_text_is_cut_to_its_end() => Gen.String["'\"-/*$a1 \n"].Sample(sql =>
        SqlTokens.Of(sql).Count() <= sql.Length);
}
